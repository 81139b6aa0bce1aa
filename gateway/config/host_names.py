"""Host names of a configuration: whether there can be one of a name (RFC 1123 section 2.1).

A name that cannot be is found by `check`, before its first look-up fails. Underscores are
taken, because names with them are in use.

Rule: what is read here is a host already, without a port; an IPv6 address has its brackets.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address

# RFC 1035 section 2.3.4.
_MOST_NAME = 253
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


def find_name_flaw(host: str) -> str:
    """Return why a host cannot be one, to stand behind its name; empty when it can."""
    if host.startswith("["):
        return ""
    # The root's label, which is empty.
    name = host.removesuffix(".")
    labels = name.split(".")
    if len(name) > _MOST_NAME:
        return f"has {len(name)} characters; a name has at most {_MOST_NAME}"
    if "" in labels:
        return "has a part without a character"
    for label in labels:
        if _LABEL.fullmatch(label) is None:
            return (
                f'has a part that is none: "{label[:80]}"; one is letters, digits and inner '
                "hyphens, at most 63"
            )
    if labels[-1].isdigit() and not _is_address(name):
        # Resolvers make an address of it, each in its own way.
        return "ends with a number, and is not an IPv4 address"
    return ""


def _is_address(text: str) -> bool:
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True

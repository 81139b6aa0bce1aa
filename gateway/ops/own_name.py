"""Whether who asks the operators' listener means it: a page of a rebound name does not.

A page in a browser on this machine can have a name of its own resolve to a loopback address, and
then reads what is answered there as its own. It cannot choose another Host than that name.

Rule: a port says nothing: one that is forwarded has another number here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from gateway.core.target import parse_authority
from gateway.errors import BadRequest


def is_own_name(host: str, listed: Iterable[str]) -> bool:
    """Tell whether Host is `localhost`, an address, or the name of one of `listed`.

    An empty one is nobody's name.
    """
    if not host:
        return True
    name = _name_of(host)
    if name is None:
        return False
    return name == b"localhost" or _is_address(name) or name in map(_name_of, listed)


def _name_of(host: str) -> bytes | None:
    try:
        raw = host.removesuffix(":").encode("utf-8", "surrogateescape")
        # RFC 9110 section 4.2.3: an empty port is the scheme's own. A dot at the end of a name
        # says that it is whole.
        return parse_authority(raw).host.removesuffix(b".")
    except BadRequest:
        return None


def _is_address(name: bytes) -> bool:
    try:
        ipaddress.ip_address(name.decode().strip("[]"))
    except ValueError:
        return False
    return True

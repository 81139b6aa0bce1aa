"""`NO_PROXY`: which hosts are reached without a proxy.

There is no standard. This is what curl, Go and Python have in common: entries between
commas or blanks; `*` is everything; a name stands for itself and for what is below it,
with or without a dot (or `*.`) before it; an address or a network (CIDR) stands for
addresses only; a port narrows an entry.

Rule 1: an entry that cannot be read matches nothing; nothing here raises.
Rule 2: a name is never looked up, so a network does not match the address behind a name.
"""

from __future__ import annotations

import ipaddress

from gateway.policy.routes import Origin


def is_excepted(origin: Origin, no_proxy: str) -> bool:
    """Tell whether an origin is to be reached directly, by the text of `NO_PROXY`."""
    host = origin.host.lower().strip("[]").removesuffix(".")
    entries = no_proxy.replace(",", " ").lower().split()
    return any(_matches(entry, host, origin.port) for entry in entries)


def _matches(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    name, wanted_port = _split_port(entry)
    if wanted_port not in ("", str(port)):
        return False
    address = _address(host)
    if address is not None:
        return _holds(name, address)
    suffix = name.removeprefix("*").removeprefix(".").removesuffix(".")
    return bool(suffix) and (host == suffix or host.endswith(f".{suffix}"))


def _split_port(entry: str) -> tuple[str, str]:
    """Return a name, an address or a network, and the port behind it, empty for none."""
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return (name + rest, "") if rest.startswith("/") else (name, rest.removeprefix(":"))
    # An address of IPv6 without brackets has colons of its own, and so no port.
    if entry.count(":") > 1:
        return entry, ""
    name, _, port = entry.partition(":")
    return name, port


def _holds(name: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Tell whether an entry is this address or a network that it is in."""
    try:
        return address in ipaddress.ip_network(name, strict=False)
    except ValueError:
        return False


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None

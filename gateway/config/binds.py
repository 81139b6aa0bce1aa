"""Where the gateway listens: `host:port` or `unix:/path`, in one spelling each.

Rule 1: what `parse_bind` accepts, `str()` gives back character for character.
Rule 2: every interface is `0.0.0.0` or `[::]`, written out; an empty host is refused,
        because too many people take it for this machine only.
Rule 3: nothing here opens a socket or looks up a name.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from gateway.policy.callers import is_loopback

FORMS = 'write "host:port", "[ipv6]:port" or "unix:/path"'
_PORT = re.compile(r"0|[1-9][0-9]{0,4}")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9])?")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+(?:%[A-Za-z0-9._-]+)?")
_WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 (compared with, not bound)
_ALL_NUMBERS = re.compile(r"[0-9.]+")
# sun_path has 108 bytes on Linux, the last of which is NUL.
_MAX_PATH_BYTES = 107


@dataclass(frozen=True, slots=True)
class Bind:
    """A TCP address, or a Unix socket when `path` is given; port 0 lets the system choose."""

    host: str | None = None
    port: int | None = None
    path: str | None = None

    @property
    def is_loopback(self) -> bool:
        """Tell whether only this machine can reach it over TCP; False for a Unix socket."""
        return self.host is not None and is_loopback(self.host.encode())

    @property
    def is_wildcard(self) -> bool:
        """Tell whether it is every interface, which has no name of its own."""
        return self.host in _WILDCARDS

    def is_reached_at(self, host: str, port: int) -> bool:
        """Tell whether what this machine sends to a host, as in a URL, and a port comes here.

        `localhost` is the first loopback address of either family; port 0 is none that can be
        known.
        """
        if self.host is None or self.port == 0 or self.port != port:
            return False
        ours, theirs = _addresses(self.host), _addresses(host.strip("[]"))
        if self.is_wildcard:
            local = [one for one in theirs if _is_here(one)]
            return any(("." in one) == ("." in self.host) for one in local)
        return not ours.isdisjoint(theirs)

    def __str__(self) -> str:
        if self.host is None:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _addresses(host: str) -> frozenset[str]:
    """Return what a host stands for here, in one spelling each; no name is looked up."""
    if host.lower() == "localhost":
        return frozenset({"127.0.0.1", "::1"})
    try:
        return frozenset({str(ipaddress.ip_address(host))})
    except ValueError:
        return frozenset({host.lower()})


def _is_here(address: str) -> bool:
    return is_loopback(address.encode()) or address in _WILDCARDS


def parse_bind(text: str) -> Bind:
    """Read one bind, or raise `ValueError` with what to write."""
    scheme, _, path = text.partition(":")
    if scheme == "unix":
        return Bind(path=_parse_path(path))
    host, colon, port = text.rpartition(":")
    if not colon:
        raise ValueError(f"{text[:80]!a} has no port; {FORMS}")
    if not host or host == "*":
        raise ValueError(
            f'{text[:80]!a} has no host; every interface is "0.0.0.0:{port[:80]}" or "[::]:..."'
        )
    if _PORT.fullmatch(port) is None or int(port) > 65535:
        raise ValueError(f"{port[:80]!a} is not a port from 0 to 65535; {FORMS}")
    return Bind(host=_parse_host(host), port=int(port))


def _parse_path(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError('a Unix socket needs an absolute path; write "unix:/run/rc-gateway.sock"')
    size = len(path.encode("utf-8", "replace"))
    if size > _MAX_PATH_BYTES:
        raise ValueError(
            f"the path has {size} bytes; a Unix socket's has at most {_MAX_PATH_BYTES}"
        )
    if not path.isprintable():
        raise ValueError("the path of a Unix socket has a character that cannot be printed")
    return path


def _parse_host(text: str) -> str:
    if text.startswith("[") and text.endswith("]"):
        return _parse_ipv6(text[1:-1])
    if ":" in text:
        raise ValueError(f"{text[:80]!a} needs brackets when it is an IPv6 address; {FORMS}")
    if _NAME.fullmatch(text) is None:
        raise ValueError(f"{text[:80]!a} is not a host name or an address; {FORMS}")
    # A resolver reads "127.1" as 127.0.0.1, and we would not know that it is loopback.
    if _ALL_NUMBERS.fullmatch(text):
        try:
            ipaddress.IPv4Address(text)
        except ValueError as error:
            raise ValueError(f"{text[:80]!a} is not an IPv4 address: {error}") from None
    return text


def _parse_ipv6(text: str) -> str:
    if _IPV6.fullmatch(text) is None:
        raise ValueError(f"{text[:80]!a} is not an IPv6 address; {FORMS}")
    try:
        ipaddress.IPv6Address(text)
    except ValueError as error:
        raise ValueError(f"{text[:80]!a} is not an IPv6 address: {error}") from None
    return text

"""The origin of an upstream, or of the gateway itself: `https://host[:port]`, and nothing more.

A path, query or user information in an origin would have to be joined to what callers
send, and joining is where proxies go wrong; so an origin has none.

Rule 1: plain HTTP only to this machine: a credential never crosses a network in clear.
Rule 2: a problem shows no more of a URL than its scheme and host; the rest may be a secret.
"""

from __future__ import annotations

import re

from gateway.config.host_names import find_name_flaw
from gateway.core.target import Authority, parse_authority
from gateway.errors import BadRequest
from gateway.policy.callers import is_loopback
from gateway.policy.routes import Origin

_FORM = 'write "https://host" or "https://host:port"'
_URL = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?#]*)(?P<rest>.*)", re.DOTALL)
_PORTS = {"https": 443, "http": 80}


def parse_origin(text: str) -> Origin:
    """Read an upstream's origin, or raise `ValueError` with what to write.

    An IPv6 host keeps its brackets.
    """
    origin = parse_public_origin(text)
    if origin.scheme == "http" and not is_loopback(origin.host.encode()):
        raise ValueError(
            f"plain HTTP to {origin.host} would send the credential over the network in clear; "
            f'write "https://{origin.host}" (http:// is for loopback addresses)'
        )
    return origin


def parse_public_origin(text: str) -> Origin:
    """Read an origin that callers use: plain HTTP may be how they reach us."""
    url = _URL.fullmatch(text)
    if url is None:
        raise ValueError(f"an origin starts with https://; {_FORM}")
    if "@" in url["authority"]:
        raise ValueError(f"an origin carries no user name or password; {_FORM}")
    if url["rest"]:
        raise ValueError(
            f"an origin ends after host and port, without a path, '/' or query; {_FORM}"
        )
    return _parse_authority(url["scheme"], url["authority"])


def _parse_authority(scheme: str, text: str) -> Origin:
    authority = _read_authority(text)
    if authority is None:
        host, _, _ = text.rpartition(":")
        named = _read_authority(host)
        if named is not None and named.port is None:
            raise ValueError(f"what follows {host}: is not a port from 1 to 65535; {_FORM}")
        raise ValueError(
            f"what follows {scheme}:// is not a host name or an address in ASCII; {_FORM}"
        )
    host = authority.host.decode()
    if flaw := find_name_flaw(host):
        raise ValueError(f"{host} {flaw}; {_FORM}")
    return Origin(scheme, host, authority.port or _PORTS[scheme])


def _read_authority(text: str) -> Authority | None:
    try:
        return parse_authority(text.encode("ascii"))
    except (BadRequest, UnicodeEncodeError):
        return None

"""Who is asking.

There is one caller so far, `local`: whoever can reach the listener. What is refused is
the caller who did not mean to ask: a web page in a browser on this machine, whose
cross-site POST needs no preflight, or a name that was rebound to a loopback address.

Rule 1: a page we do not know may read nothing that it could not read anyway, and change nothing.
Rule 2: an absolute-form target is judged by the routes, which know the upstreams' names.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from gateway.core.message import Listener, Request
from gateway.core.target import Authority, parse_authority
from gateway.errors import BadRequest, NotPermitted, show

_ORIGIN = re.compile(rb"(https?)://([^/]+)")
# RFC 9110 section 9.2.1, narrowed to the methods that only read.
_READING = frozenset({"GET", "HEAD"})
# W3C Fetch Metadata: a page of another origin asked.
_ELSEWHERE = frozenset({b"cross-site", b"same-site"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, by the name that permits, metrics and the log use."""

    name: str


LOCAL = Caller("local")


@dataclass(frozen=True, slots=True)
class Callers:
    """`hosts`: the names that Host may carry besides loopback ones (`listener.hosts`, binds).

    One without a port stands for itself with the listener's port or none.
    """

    hosts: frozenset[Authority] = frozenset()

    def is_own(self, authority: Authority, listener: Listener) -> bool:
        """Tell whether an authority names this listener, with its port or none."""
        if authority.port in (None, listener.port) and is_loopback(authority.host):
            return True
        return self.is_listed(authority, listener)

    def is_listed(self, authority: Authority, listener: Listener) -> bool:
        """Tell whether an authority is one of `hosts`."""
        if authority in self.hosts:
            return True
        return authority.port in (None, listener.port) and Authority(authority.host) in self.hosts


def identify(request: Request, callers: Callers) -> Caller:
    """Return the caller, or raise `NotPermitted` for a page we do not know."""
    if request.listener.loopback and request.target.authority is None:
        _refuse_rebound_name(request, callers)
    if request.method not in _READING:
        _refuse_foreign_page(request, callers)
    return LOCAL


def is_loopback(host: bytes) -> bool:
    """Tell whether a host is `localhost` or a loopback address, IPv6 in brackets."""
    if host in (b"localhost", b"127.0.0.1"):
        return True
    try:
        return ipaddress.ip_address(host.decode().strip("[]")).is_loopback
    except ValueError:
        return False


def _refuse_rebound_name(request: Request, callers: Callers) -> None:
    if request.host is None or callers.is_own(request.host, request.listener):
        return
    raise NotPermitted(
        f"Host {_show(request.host)!r} is not a name of this gateway; "
        "add it to listener.hosts if it should be"
    )


def _refuse_foreign_page(request: Request, callers: Callers) -> None:
    """Refuse what a browser sent for another site (W3C Fetch Metadata, RFC 6454)."""
    for name, value in request.section.page:
        if name == b"sec-fetch-site" and value.lower() in _ELSEWHERE:
            raise NotPermitted(f"{request.method} from a page of another site is not permitted")
        if name == b"origin" and not _is_own_origin(value, request.listener, callers):
            raise NotPermitted(
                f"{request.method} from a page of origin '{show(value, 80)}' is not permitted"
            )


def _is_own_origin(origin: bytes, listener: Listener, callers: Callers) -> bool:
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        return False
    try:
        authority = parse_authority(match[2])
    except BadRequest:
        return False
    if not is_loopback(authority.host):
        return callers.is_listed(authority, listener)
    # Every port of this machine is another origin, and on another machine so is ours.
    if match[1] == b"http" and (authority.port or 80) == listener.port:
        return listener.loopback or callers.is_listed(authority, listener)
    return authority.port is not None and authority in callers.hosts


def _show(authority: Authority) -> str:
    port = "" if authority.port is None else f":{authority.port}"
    return authority.host.decode() + port

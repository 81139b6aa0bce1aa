"""Which proxy an upstream is reached by, for requests and token calls alike.

`upstreams.NAME.proxy` is obeyed as it is. Without it the environment speaks:
`https_proxy` or `HTTPS_PROXY`, but for what `no_proxy` or `NO_PROXY` excepts; lower case
wins, as in curl. This machine is always reached directly, and no other origin is plain
HTTP, so `HTTP_PROXY` has no say.

Rule: a route holds its credentials as a `Secret`; its text is host and port.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.config.no_proxy import is_excepted
from gateway.config.proxy_url import ProxyUrl, parse_proxy
from gateway.config.secrets import Unresolved
from gateway.config.upstreams import UpstreamConfig
from gateway.core.secret import Secret
from gateway.policy.callers import is_loopback
from gateway.policy.routes import Origin


@dataclass(frozen=True, slots=True)
class ProxyRoute:
    """A proxy by host, IPv6 in brackets, and port; `auth` is "user:password"."""

    host: str
    port: int
    auth: Secret | None = field(default=None)

    def __str__(self) -> str:
        return f"the proxy {self.host}:{self.port}"


def proxy_of(
    origin: Origin, upstream: UpstreamConfig, environ: Mapping[str, str]
) -> ProxyRoute | None:
    """Return the proxy to reach `origin` by, None for the direct way.

    Raises `Unresolved` when `proxy_auth` leads to no "user:password"; it is read anew each
    time, so that a file that changes is read again.
    """
    url = find_proxy(origin, upstream, environ)
    if url is None:
        return None
    if upstream.proxy_auth is None:
        return ProxyRoute(url.host, url.port, url.userinfo)
    auth = upstream.proxy_auth.resolve(environ)
    if b":" not in auth.reveal():
        raise Unresolved('the value is not "user:password"; there is no colon in it')
    return ProxyRoute(url.host, url.port, auth)


def find_proxy(
    origin: Origin, upstream: UpstreamConfig, environ: Mapping[str, str]
) -> ProxyUrl | None:
    """Return where the proxy of `origin` is; reads no reference."""
    if not upstream.proxy:
        return find_environment_proxy(origin, environ)
    return None if is_loopback(origin.host.encode()) else parse_proxy(upstream.proxy)


def find_environment_proxy(origin: Origin, environ: Mapping[str, str]) -> ProxyUrl | None:
    """Return the proxy that the environment names for `origin`.

    Raises `ValueError` for a name that is no proxy; the configuration's check tells of it.
    """
    text = _read(environ, "https_proxy")
    if not text or is_loopback(origin.host.encode()):
        return None
    if is_excepted(origin, _read(environ, "no_proxy")):
        return None
    try:
        return parse_proxy(text)
    except ValueError as error:
        raise ValueError(f"the environment's HTTPS_PROXY {error}") from None


def _read(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name, environ.get(name.upper(), "")).strip()

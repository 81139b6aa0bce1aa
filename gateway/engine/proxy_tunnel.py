"""A way through a proxy to an origin: CONNECT, before anything else is said.

The reply is read as strictly as an upstream's, by the same reader. What comes through the
tunnel afterwards is TLS, in which we speak first, so the proxy has nothing to say behind
its head.

Rule 1: a proxy that does not open the way is an error of its own, which names the proxy
        and its status, and never the credentials.
Rule 2: nothing of a refusal's body is read or shown.
"""

from __future__ import annotations

import asyncio
import socket
from base64 import b64encode

from gateway.config.proxies import ProxyRoute
from gateway.core.message import ReplyHead
from gateway.engine.head_reader import HeadReader
from gateway.errors import UpstreamBroken, UpstreamUnreachable
from gateway.policy.routes import Origin

_READ_BYTES = 4096


async def open_tunnel(
    loop: asyncio.AbstractEventLoop, sock: socket.socket, proxy: ProxyRoute, origin: Origin
) -> None:
    """Ask the proxy at the other end of `sock` for a way to `origin`.

    Raises OSError, or `UpstreamUnreachable` when the proxy does not open it.
    """
    await loop.sock_sendall(sock, render_connect(proxy, origin))
    heads, head = HeadReader("CONNECT"), None
    while head is None:
        data = await loop.sock_recv(sock, _READ_BYTES)
        if not data:
            raise _failed(
                f"{proxy} closed the connection without an answer", "connection_terminated"
            )
        try:
            head = heads.feed(data)
        except UpstreamBroken:
            raise _failed(
                f"{proxy} did not answer as an HTTP/1.1 proxy does", "http_protocol_error"
            ) from None
    _check(head, proxy, origin)
    if heads.rest:
        raise _failed(f"{proxy} spoke into the connection to {origin}", "http_protocol_error")


def render_connect(proxy: ProxyRoute, origin: Origin) -> bytes:
    """Return the request (RFC 9110 section 9.3.6), credentials in clear."""
    authority = b"%b:%d" % (origin.host.encode(), origin.port)
    lines = [b"CONNECT %b HTTP/1.1" % authority, b"Host: " + authority]
    if proxy.auth is not None:
        lines.append(b"Proxy-Authorization: Basic " + b64encode(proxy.auth.reveal()))
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _check(head: ReplyHead, proxy: ProxyRoute, origin: Origin) -> None:
    """Raise why the tunnel is not open; any 2xx says that it is."""
    if head.status < 300:
        return
    answered = f"{proxy} answered {head.status}"
    if head.status == 407 and proxy.auth is None:
        text = f"{answered}: it wants credentials; set proxy_auth in the upstream's table"
        raise _failed(text, "proxy_configuration_error")
    if head.status == 407:
        text = f"{answered}: it does not take the credentials that it is given"
        raise _failed(text, "proxy_configuration_error")
    if head.status < 500:
        raise _failed(f"{answered}: it does not let us reach {origin}", "http_request_denied")
    raise _failed(f"{answered}: it could not reach {origin}", "destination_unavailable")


def _failed(message: str, proxy_error: str) -> UpstreamUnreachable:
    return UpstreamUnreachable(message, sent=False, proxy_error=proxy_error)

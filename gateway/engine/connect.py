"""Making a connection to an upstream: name, address, proxy, TLS.

All addresses of the name are tried, the families in turn (RFC 8305). TLS is verified,
1.2 or newer, with the upstream's name.

Rule: foreign exceptions end here; what leaves is a leaf of `UpstreamFailed` that says
that nothing was sent, or `Overloaded` when it is this process that can open no more.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohappyeyeballs import start_connection

from gateway.config.proxies import ProxyRoute
from gateway.config.secrets import Unresolved
from gateway.credentials.unreached import why_unreached
from gateway.engine.addresses import Addresses
from gateway.engine.proxy_tunnel import open_tunnel
from gateway.engine.tls import TlsContexts
from gateway.engine.upstream import UpstreamConnection
from gateway.errors import Overloaded, UpstreamFailed, UpstreamTimeout, UpstreamUnreachable
from gateway.policy.routes import Origin

# RFC 8305 section 5: "A recommended value for a default delay is 250 milliseconds."
HAPPY_EYEBALLS_DELAY_S = 0.25


# This process, or this machine, can open no more files.
_EXHAUSTED = (errno.EMFILE, errno.ENFILE)


class Connector:
    """Opens connections to one origin, through the proxy that `find_proxy` names, if any.

    It is asked for each connection, because credentials may change; the proxy does not.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        origin: Origin,
        connect_timeout_s: float,
        ca_file: Path | None = None,
        find_proxy: Callable[[], ProxyRoute | None] = lambda: None,
        contexts: TlsContexts | None = None,
    ) -> None:
        """Connect to nobody yet; `contexts` are those of what is made together with this."""
        self._loop = loop
        self._origin = origin
        self._timeout_s = connect_timeout_s
        self._tls = (contexts or TlsContexts()).find(ca_file) if origin.scheme == "https" else None
        self._find_proxy = find_proxy
        self._addresses: Addresses | None = None

    async def connect(self, deadline: float) -> UpstreamConnection:
        """Return a new connection by `deadline`, or raise why there is none."""
        limit = min(deadline, self._loop.time() + self._timeout_s)
        try:
            proxy = self._find_proxy()
        except Unresolved as error:
            text = f"the credentials for the proxy of {self._origin} cannot be read: {error}"
            kind = "proxy_configuration_error"
            raise UpstreamUnreachable(text, sent=False, proxy_error=kind) from None
        host, port = (proxy or self._origin).host, (proxy or self._origin).port
        async with _telling(limit, str(proxy or self._origin), host):
            sock = await self._dial(host.strip("[]"), port)
        try:
            if proxy is not None:
                async with _telling(limit, f"{self._origin} through {proxy}", host):
                    await open_tunnel(self._loop, sock, proxy, self._origin)
            async with _telling(limit, str(self._origin), host):
                return await self._wrap(sock)
        except BaseException:
            sock.close()
            raise

    async def _dial(self, host: str, port: int) -> socket.socket:
        if self._addresses is None:
            self._addresses = Addresses(self._loop, host, port)
        return await start_connection(
            await self._addresses.get(), happy_eyeballs_delay=HAPPY_EYEBALLS_DELAY_S
        )

    async def _wrap(self, sock: socket.socket) -> UpstreamConnection:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = UpstreamConnection(self._loop)
        try:
            await self._loop.create_connection(
                lambda: connection,
                sock=sock,
                ssl=self._tls,
                server_hostname=self._origin.host.strip("[]") if self._tls else None,
                # Not to be cut short by asyncio's own: ours is the limit around this.
                ssl_handshake_timeout=self._timeout_s + 1 if self._tls else None,
            )
        except BaseException:
            # Cancelled in the turn in which TLS came about, asyncio would go on using the socket.
            connection.abort()
            raise
        return connection


@asynccontextmanager
async def _telling(limit: float, peer: str, host: str) -> AsyncIterator[None]:
    """Give a step until `limit`, and say of what goes wrong in it that it was with `peer`."""
    try:
        async with asyncio.timeout_at(limit):
            yield
    except (OSError, UnicodeError) as error:
        if getattr(error, "errno", None) in _EXHAUSTED:
            raise Overloaded("too many open files (ulimit -n)") from None
        raise failure_of(error, peer, host) from None


def failure_of(error: OSError | UnicodeError, peer: str, host: str) -> UpstreamFailed:
    """Return what to say of a connection to `peer` that could not be made; nothing was sent."""
    if isinstance(error, TimeoutError):
        text, kind = f"no connection to {peer} in time", "connection_timeout"
        return UpstreamTimeout(text, sent=False, proxy_error=kind)
    text, kind = why_unreached(error, peer, host)
    return UpstreamUnreachable(text, sent=False, proxy_error=kind)

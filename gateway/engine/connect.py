"""Making a connection to an upstream: name, address, TLS.

Names are resolved in a thread and remembered for 30 seconds; all addresses are tried,
the families in turn (RFC 8305). TLS is verified, 1.2 or newer, with the upstream's name.

Rule: foreign exceptions end here; what leaves is a leaf of `UpstreamFailed` that says
that nothing was sent.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path

from aiohappyeyeballs import start_connection
from aiohappyeyeballs.types import AddrInfoType

from gateway.engine.upstream import UpstreamConnection
from gateway.errors import UpstreamTimeout, UpstreamUnreachable
from gateway.policy.routes import Origin

# Long enough to spare a look-up per connection, short enough to follow a failover.
DNS_CACHE_S = 30.0
# RFC 8305 section 5: "A recommended value for a default delay is 250 milliseconds."
HAPPY_EYEBALLS_DELAY_S = 0.25


class Connector:
    """Opens connections to one origin."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        origin: Origin,
        connect_timeout_s: float,
        ca_file: Path | None = None,
    ) -> None:
        self._loop = loop
        self._origin = origin
        self._timeout_s = connect_timeout_s
        self._tls = make_tls(ca_file) if origin.scheme == "https" else None
        self._addresses: list[AddrInfoType] = []
        self._fresh_until = 0.0

    async def connect(self, deadline: float) -> UpstreamConnection:
        """Return a new connection by `deadline`, or raise why there is none."""
        limit = min(deadline, self._loop.time() + self._timeout_s)
        try:
            async with asyncio.timeout_at(limit):
                return await self._open()
        except TimeoutError:
            raise UpstreamTimeout(
                f"no connection to {self._origin} in time",
                sent=False,
                proxy_error="connection_timeout",
            ) from None
        except ssl.SSLError as error:
            raise UpstreamUnreachable(
                f"TLS with {self._origin} failed: {error.reason or 'protocol error'}",
                sent=False,
                proxy_error="tls_certificate_error"
                if isinstance(error, ssl.SSLCertVerificationError)
                else "tls_protocol_error",
            ) from None
        except socket.gaierror:
            raise UpstreamUnreachable(
                f"the name {self._origin.host} cannot be resolved",
                sent=False,
                proxy_error="dns_error",
            ) from None
        except OSError as error:
            raise UpstreamUnreachable(
                f"no connection to {self._origin}: {error.strerror or 'failed'}",
                sent=False,
                proxy_error="connection_refused",
            ) from None

    async def _open(self) -> UpstreamConnection:
        sock = await start_connection(
            await self._resolve(), happy_eyeballs_delay=HAPPY_EYEBALLS_DELAY_S
        )
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _, connection = await self._loop.create_connection(
                lambda: UpstreamConnection(self._loop),
                sock=sock,
                ssl=self._tls,
                server_hostname=self._origin.host.strip("[]") if self._tls else None,
            )
        except BaseException:
            sock.close()
            raise
        return connection

    async def _resolve(self) -> list[AddrInfoType]:
        if self._loop.time() >= self._fresh_until:
            found = await self._loop.getaddrinfo(
                self._origin.host.strip("[]"), self._origin.port, type=socket.SOCK_STREAM
            )
            self._addresses = list(found)
            self._fresh_until = self._loop.time() + DNS_CACHE_S
        return self._addresses


def make_tls(ca_file: Path | None) -> ssl.SSLContext:
    """Return a verifying context; `ca_file` (PEM) is trusted beside the system's roots."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context

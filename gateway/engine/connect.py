"""Making a connection to an upstream: name, address, TLS.

All addresses of the name are tried, the families in turn (RFC 8305). TLS is verified,
1.2 or newer, with the upstream's name.

Rule: foreign exceptions end here; what leaves is a leaf of `UpstreamFailed` that says
that nothing was sent, or `Overloaded` when it is this process that can open no more.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from pathlib import Path

from aiohappyeyeballs import start_connection

from gateway.engine.addresses import Addresses
from gateway.engine.upstream import UpstreamConnection
from gateway.errors import Overloaded, UpstreamFailed, UpstreamTimeout, UpstreamUnreachable
from gateway.policy.routes import Origin

# RFC 8305 section 5: "A recommended value for a default delay is 250 milliseconds."
HAPPY_EYEBALLS_DELAY_S = 0.25


# This process, or this machine, can open no more files.
_EXHAUSTED = (errno.EMFILE, errno.ENFILE)


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
        self._addresses = Addresses(loop, origin.host.strip("[]"), origin.port)

    async def connect(self, deadline: float) -> UpstreamConnection:
        """Return a new connection by `deadline`, or raise why there is none."""
        limit = min(deadline, self._loop.time() + self._timeout_s)
        try:
            async with asyncio.timeout_at(limit):
                return await self._open()
        except (OSError, UnicodeError) as error:
            if getattr(error, "errno", None) in _EXHAUSTED:
                raise Overloaded("too many open files (ulimit -n)") from None
            raise failure_of(error, self._origin) from None

    async def _open(self) -> UpstreamConnection:
        sock = await start_connection(
            await self._addresses.get(), happy_eyeballs_delay=HAPPY_EYEBALLS_DELAY_S
        )
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _, connection = await self._loop.create_connection(
                lambda: UpstreamConnection(self._loop),
                sock=sock,
                ssl=self._tls,
                server_hostname=self._origin.host.strip("[]") if self._tls else None,
                # Not to be cut short by asyncio's own: ours is the limit around this.
                ssl_handshake_timeout=self._timeout_s + 1 if self._tls else None,
            )
        except BaseException:
            sock.close()
            raise
        return connection


def failure_of(error: OSError | UnicodeError, origin: Origin) -> UpstreamFailed:
    """Return what to say of a connection that could not be made; nothing was sent on it."""
    match error:
        case TimeoutError():
            text, kind = f"no connection to {origin} in time", "connection_timeout"
            return UpstreamTimeout(text, sent=False, proxy_error=kind)
        case ssl.SSLCertVerificationError():
            text = f"the certificate of {origin} is not trusted: {error.verify_message}"
            kind = "tls_certificate_error"
        case ssl.SSLError():
            reason = getattr(error, "reason", None) or "protocol error"
            text = f"TLS with {origin} failed: {reason}"
            kind = "tls_protocol_error"
        case socket.gaierror() | UnicodeError():
            text, kind = f"the name {origin.host} cannot be resolved", "dns_error"
        case ConnectionRefusedError():
            text, kind = f"{origin} refuses connections", "connection_refused"
        case OSError(errno=int(number)):
            text, kind = f"no connection to {origin}: {os.strerror(number)}", ""
        case ConnectionError():
            # asyncio's own, without a number.
            text = f"{origin} closed the connection while TLS was set up"
            kind = "connection_terminated"
        case _:
            # Several addresses, each with another reason.
            text, kind = f"no connection to {origin} by any of its addresses", ""
    return UpstreamUnreachable(text, sent=False, proxy_error=kind)


def make_tls(ca_file: Path | None) -> ssl.SSLContext:
    """Return a verifying context; `ca_file` (PEM) is trusted beside the system's roots."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context

"""One connection to an upstream: a request goes out, a reply is read strictly.

Heads are read by `core.reply_head` from their very bytes and bodies by `inflow`, because
client parsers forgive what must not be forgiven here. Interim replies are dropped. A
byte that arrives while nothing was asked for condemns the connection.

Rule 1: a failure is kept and raised to whoever waits, after the body bytes that came before.
Rule 2: a connection is reusable only when both directions ended cleanly.
Rule 3: this module knows nothing of plans, retries or callers.
"""

from __future__ import annotations

import asyncio
import re
from typing import cast

from gateway.core.framing import NO_BODY
from gateway.core.headers import members_of
from gateway.core.message import ReplyHead
from gateway.core.reply_head import parse_reply_head
from gateway.engine.inflow import Inflow
from gateway.engine.watch import Watch
from gateway.errors import GatewayError, UpstreamBroken, UpstreamTimeout

# As large as the largest head that a caller may send us.
MAX_REPLY_HEAD_BYTES = 65536
# More interim replies than this are not progress but a loop.
_MAX_INTERIM = 32
_START = b"HTTP/1."
_BARE_LF = re.compile(rb"(?<!\r)\n")


class UpstreamConnection(asyncio.Protocol):
    """A pooled connection; `idle_since` is event-loop seconds."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._watch = Watch(loop)
        self._waiter: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._buffer = b""
        self._method = ""
        self._interim = 0
        self._asked = False
        self._head: ReplyHead | None = None
        self._body = Inflow(NO_BODY)
        self._failure: GatewayError | None = None
        self._reading_paused = False
        self.uses = 0
        self.idle_since = 0.0
        self.reply_started = False

    # The exchange's side.

    @property
    def is_open(self) -> bool:
        """Tell whether the connection may be written to."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def is_reusable(self) -> bool:
        """Tell whether the reply ended cleanly and the connection stays open."""
        head, body = self._head, self._body
        if head is None or not self.is_open or self._failure is not None:
            return False
        options = members_of(head.fields, b"connection")
        persistent = head.version == b"HTTP/1.1" or b"keep-alive" in options
        return body.ended and not body.surplus and persistent and b"close" not in options

    def ask(self, method: str, data: bytes) -> None:
        """Begin a request with the effective `method`: write its head and what goes with it."""
        self.uses += 1
        self._method, self._asked = method, True
        self._head = None
        self._interim = 0
        self.reply_started = False
        self.write(data)

    def write(self, data: bytes) -> None:
        """Write request bytes; what cannot be written shows as a failure of the reply."""
        if self._transport is not None:
            self._transport.write(data)

    async def drain(self) -> None:
        """Wait until upstream has taken enough to be sent more."""
        if self._drained is not None:
            await asyncio.shield(self._drained)

    async def read_head(self, deadline: float) -> ReplyHead:
        """Return the final reply head, or raise why there is none by `deadline`."""
        while self._head is None:
            await self._wait(deadline, "upstream sent no reply in time")
        return self._head

    async def read_body(self, idle_s: float) -> bytes:
        """Return the next bytes of the body, b"" at its end; raise when it is cut short."""
        body = self._body
        while not (data := body.take()) and not body.ended:
            self._resume_reading()
            deadline = self._loop.time() + idle_s
            await self._wait(deadline, f"upstream sent nothing of its body for {idle_s:g} s")
        return data

    def take_body(self) -> tuple[bytes, bool]:
        """Return the body bytes that are here already, and whether they are the last."""
        return self._body.take(), self._body.ended

    def fail(self, error: GatewayError) -> None:
        """End the exchange with `error`, once; whoever waits gets it."""
        if self._failure is None:
            self._failure = error
        self._wake()

    def rest(self) -> None:
        """Become idle; called by the pool on a reusable connection."""
        self._asked = False
        self._head = None
        self.idle_since = self._loop.time()
        self._resume_reading()

    def abort(self) -> None:
        """Close at once; a request that is not complete must not look so."""
        self._watch.close()
        if self._transport is not None:
            self._transport.abort()

    async def _wait(self, deadline: float, timeout_message: str) -> None:
        if self._failure is not None:
            raise self._failure
        self._watch.set(deadline, lambda: self.fail(UpstreamTimeout(timeout_message)))
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
            self._watch.clear()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # The event loop's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (asyncio calls this)."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes of a reply; unasked ones condemn the connection."""
        if not self._asked or self._failure is not None:
            self.abort()
            return
        self.reply_started = True
        try:
            if self._head is None:
                self._feed_head(data)
            else:
                self._body.feed(data)
        except UpstreamBroken as error:
            self.fail(error)
            return
        if self._body.is_full:
            self._pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Take the orderly end; the transport closes itself after this."""
        if self._head is not None and self._failure is None:
            try:
                self._body.feed_eof()
            except UpstreamBroken as error:
                self.fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note that the connection is gone, and tell whoever waits."""
        self._transport = None
        self._watch.close()
        if self._head is None or not self._body.ended:
            how = "closed" if exc is None else "broke"
            self.fail(
                UpstreamBroken(
                    f"upstream {how} the connection before its reply was complete",
                    proxy_error="connection_terminated",
                )
            )
        self._wake()
        self.resume_writing()

    def pause_writing(self) -> None:
        """Hold the upload back (asyncio calls this above the high-water mark)."""
        self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        """Let the upload go on."""
        if self._drained is not None:
            if not self._drained.done():
                self._drained.set_result(None)
            self._drained = None

    def _feed_head(self, data: bytes) -> None:
        """Read heads until a final one; what follows it is body."""
        self._buffer += data
        while self._head is None:
            end = self._buffer.find(b"\r\n\r\n") + 4
            if end < 4:
                self._check_unfinished_head()
                return
            if end > MAX_REPLY_HEAD_BYTES:
                raise UpstreamBroken("upstream sent a head that is too large")
            raw, self._buffer = self._buffer[:end], self._buffer[end:]
            self._take_head(parse_reply_head(raw, self._method))
        rest, self._buffer = self._buffer, b""
        self._body = Inflow(self._head.framing)
        self._body.feed(rest)

    def _take_head(self, head: ReplyHead) -> None:
        if head.status == 101:
            # RFC 9110 section 15.2.2: only as an answer to Upgrade, which never leaves here.
            raise UpstreamBroken("upstream switched protocols unasked")
        if head.status >= 200:
            self._head = head
            return
        self._interim += 1
        if self._interim > _MAX_INTERIM:
            raise UpstreamBroken("upstream sends interim replies without end")

    def _check_unfinished_head(self) -> None:
        """Refuse at once what can no longer become a head, instead of waiting for more."""
        held = self._buffer
        if len(held) > MAX_REPLY_HEAD_BYTES:
            raise UpstreamBroken("upstream sent a head that is too large")
        if not held.startswith(_START[: len(held)]) or _BARE_LF.search(held) is not None:
            raise UpstreamBroken("upstream sent something that is not HTTP/1.1")

    def _pause_reading(self) -> None:
        if not self._reading_paused and self._transport is not None and self.is_open:
            self._transport.pause_reading()
            self._reading_paused = True

    def _resume_reading(self) -> None:
        if self._reading_paused and self._transport is not None and self.is_open:
            self._transport.resume_reading()
            self._reading_paused = False

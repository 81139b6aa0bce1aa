"""One connection to an upstream: a request goes out, a reply is read strictly.

Heads are read by `head_reader` from their very bytes and bodies by `inflow`, because
client parsers forgive what must not be forgiven here. A byte that arrives while nothing
was asked for condemns the connection.

Rule 1: a failure is kept and raised to whoever waits, after the body bytes that came before.
Rule 2: a connection is reusable only when both directions ended cleanly.
Rule 3: reading pauses only within a body, so that an idle connection is always read.
Rule 4: this module knows nothing of plans, retries or callers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

from gateway.core.framing import LENGTH
from gateway.core.message import ReplyHead
from gateway.core.reply_head import is_persistent
from gateway.engine.head_reader import HeadReader
from gateway.engine.inflow import Inflow, Take, Whole, ended_early
from gateway.engine.pressure import Pressed, Pressure
from gateway.engine.reply_news import NO_REPLY, ReplyNews
from gateway.engine.socket_state import SocketState
from gateway.engine.splice import Splice, begin_splice
from gateway.engine.wire import Wire
from gateway.errors import UpstreamBroken


class UpstreamConnection(ReplyNews, Pressed, asyncio.Protocol):
    """A pooled connection; `idle_since` is event-loop seconds."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        ReplyNews.__init__(self, loop)
        self._transport: Wire | None = None
        self._pressure = Pressure(loop)
        self._heads = HeadReader("")
        self._head: ReplyHead | None = None
        self._whole = Whole()
        # Before there is a head it is never fed.
        self._body: Inflow | Whole = self._whole
        self._splice: Splice | None = None
        self._is_asked = self.reply_started = False
        self.uses = 0
        self.idle_since = self._idle_s = 0.0

    # The exchange's side.

    @property
    def is_open(self) -> bool:
        """Tell whether the connection may be written to."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def certificate(self) -> Mapping[str, Any] | None:
        """Return upstream's certificate as `ssl` reads it, None without TLS."""
        transport = self._transport
        return None if transport is None else transport.get_extra_info("peercert")

    def is_quiet(self) -> bool:
        """Tell whether the connection is open and has nothing to say, as the kernel knows it.

        What the event loop has not read yet would be taken for the reply to the next request.
        """
        if self._transport is None:
            return False
        is_closing, poll = self._transport.is_closing, self._socket.poll
        return not is_closing() and not poll(0)

    @property
    def is_cut(self) -> bool:
        """Tell whether upstream has cut the connection, as the kernel knows it.

        A write would then lose the reply that came before the cut and is still unread.
        """
        return not self.is_open or self._socket.is_ended()

    def is_reusable(self) -> bool:
        """Tell whether the reply ended cleanly, the request was written and all stays open."""
        head, body, transport = self._head, self._body, self._transport
        if head is None or transport is None or self._failure is not None:
            return False
        is_closing = transport.is_closing
        if is_closing() or not body.ended or body.surplus:
            return False
        return not transport.get_write_buffer_size() and is_persistent(head)

    def ask(self, method: str, data: bytes, is_whole: bool = False) -> None:
        """Write a request with the effective `method`, or its beginning; none is under way."""
        self.uses += 1
        self._heads.method = method
        self._is_asked = True
        self.reply_started = False
        transport = self._transport
        if transport is not None:
            is_closing = transport.is_closing
            if not is_closing():
                transport.write(data, is_whole)

    def whole_reply(self) -> tuple[ReplyHead, bytes] | None:
        """Return a reply that is all here, None while it is not; its body is left to be read."""
        head, body = self._head, self._body
        if head is None or not body.ended or self._failure is not None:
            return None
        return head, body.peek()

    def write(self, data: bytes) -> None:
        """Write more of the request; what cannot be written shows as a failure of the reply.

        It leaves now: by the end of the turn upstream may have cut the connection (`is_cut`).
        """
        if self._transport is not None and self.is_open:
            self._transport.write_now(data)

    async def read_head(self, deadline: float, timeout_message: str = NO_REPLY) -> ReplyHead:
        """Return the final reply head, or raise why there is none by `deadline`."""
        while self._head is None:
            await self._wait(deadline, timeout_message)
        return self._head

    async def read_body(self, idle_s: float, take: Take | None = None) -> bytes:
        """Return the next bytes of the body, b"" at its end; raise when it is cut short.

        Those that `take` takes while this waits are not returned, and put the time off.
        """
        body = self._body
        while not (data := body.take()) and not body.ended:
            self._resume_reading()
            self._idle_s = idle_s
            deadline = self._loop.time() + idle_s
            body.taker = take
            self._splice = begin_splice(self._loop, self, take)
            try:
                await self._wait(deadline, f"upstream sent nothing of its body for {idle_s:g} s")
            finally:
                body.taker = None
                if self._splice is not None:
                    self._splice.stop()
                    self._splice = None
        return data

    async def peek_body(self, most_bytes: int, deadline: float) -> bytes:
        """Return what has come of the body by `deadline`, and leave it to be read.

        Waits no longer than for its end, or for `most_bytes` (fewer than `inflow.FULL_BYTES`).
        """
        body = self._body
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                while body.held_bytes < most_bytes and not body.ended:
                    await self._woken()
        return body.peek()

    def take_body(self) -> tuple[bytes, bool]:
        """Return the body bytes that are here already, and whether they are the last."""
        return self._body.take(), self._body.ended

    def rest(self) -> None:
        """Become idle; called by the pool on a reusable connection."""
        self._is_asked = False
        self._head, self._body = None, self._whole
        self._whole.data = b""
        self.idle_since = self._loop.time()

    def abort(self) -> None:
        """Close at once; a request that is not complete must not look so."""
        self._forget_all()
        if self._transport is not None:
            self._transport.abort()

    # The event loop's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (asyncio calls this)."""
        self._transport = Wire(cast(asyncio.Transport, transport), self._loop)
        self._socket = SocketState(transport.get_extra_info("socket").fileno())

    def data_received(self, data: bytes) -> None:
        """Take bytes of a reply; unasked ones condemn the connection."""
        if not self._is_asked or self._failure is not None:
            self.abort()
            return
        self.reply_started = True
        try:
            self._feed(data)
        except UpstreamBroken as error:
            self.fail(error)
            return
        body = self._body
        if body.taker is not None and not body.ended:
            self._put_off()
            self._splice = begin_splice(self._loop, self, body.taker)
            return
        if not body.ended and body.is_full:
            self._pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Take the orderly end; the transport closes itself after this.

        Whoever waits is told now: a transport with unsent bytes may not close for long.
        """
        if self._head is None or self._failure is not None:
            self.fail(ended_early("closed"))
            return
        try:
            self._body.feed_eof()
        except UpstreamBroken as error:
            self.fail(error)
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note that the connection is gone, and tell whoever waits."""
        self._transport = None
        self._watch.close()
        if self._head is None or not self._body.ended:
            self.fail(ended_early("closed" if exc is None else "broke"))
        self._wake()
        self.resume_writing()

    def _feed(self, data: bytes) -> None:
        if self._head is not None:
            self._body.feed(data)
            return
        head = self._heads.feed(data)
        if head is None:
            return
        # Not kept there: an idle connection would hold it until its next reply.
        rest, self._heads.rest = self._heads.rest, b""
        framing = head.framing
        if framing.kind is LENGTH and framing.length == len(rest):
            self._body = whole = self._whole
            whole.data, whole.surplus = rest, False
        else:
            self._body = body = Inflow(framing)
            # A body that begins with a flaw fails as its head would: there is no answer yet.
            body.feed(rest)
        self._head = head

    # The side of the splice.

    @property
    def wire(self) -> Wire | None:
        """Return what is read and written by, None when it is gone."""
        return self._transport

    inlet = wire

    @property
    def left(self) -> int:
        """Return how many bytes of the body have not come yet, 0 when nobody knows."""
        return self._body.left

    def let_by(self, size: int) -> None:
        """Take note that so many bytes came and have left."""
        self._body.let_by(size)
        self._put_off()

    def put_back(self, data: bytes) -> None:
        """Hold what came and has not left."""
        self._body.feed(data)

    def note_broken(self) -> None:
        """Take note that the connection broke."""
        self.fail(ended_early("broke"))

    def _put_off(self) -> None:
        self._watch.put_off(self._loop.time() + self._idle_s)

    def _pause_reading(self) -> None:
        if self._transport is not None and self.is_open:
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._transport is not None and self.is_open:
            self._transport.resume_reading()

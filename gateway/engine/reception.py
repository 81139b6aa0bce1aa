"""What a caller sends, parsed by aiohttp and bounded by us.

aiohttp parses (llhttp, strict) and queues pipelined requests. What it does not bound is
bounded here: the time and the size of a head, the number of its fields and of the heads
that wait. Bytes go to the parser part by part, as `boundary.py` cuts them, but for long
bodies (`body_intake.py`), and for whole requests whose heads were parsed and kept before.

Rule 1: nothing is decided here; a flaw becomes a `Refused`, answered where all others are.
Rule 2: after a flaw, not one byte of the connection is read as a request.
Rule 3: aiohttp's private names are used in this class and its relatives, and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp.http import RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import _ErrInfo

from gateway.core.chunked import BadChunk
from gateway.core.framing import NO_BODY, Framing
from gateway.engine import flaws
from gateway.engine.body_intake import BodyIntake, bounds_of
from gateway.engine.incoming import RECALLED, Gate, HeadRead, Incoming, Manager, Outcome
from gateway.engine.known import Known
from gateway.engine.linger import Linger
from gateway.engine.watch import Watch
from gateway.errors import BadRequest, BodyTooLarge, GatewayError, HeadTooLarge, RequestTimeout

# Heads that wait behind the request under way; each may hold as much as a head may.
MAX_QUEUED = 2
# The parser copies a body; from here on, that costs more than a new parser does.
MOST_PARSED_BYTES = 131072


class Reception(BodyIntake):
    """The incoming half of a connection."""

    __slots__ = (*("_head_watch", "_heads_read", "_linger", "listens"),)

    def __init__(self, manager: Manager, gate: Gate, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(manager, gate, loop)
        self._max_msg_queue_size = MAX_QUEUED
        self._msg_queue_resume_size = MAX_QUEUED - 1
        self.listens = manager
        # Of the requests that wait, in order.
        self._heads_read: deque[tuple[RawRequestMessage, HeadRead]] = deque()
        self._head_watch = Watch(loop)
        self._linger = Linger(loop)

    def refuse_head(self, error: GatewayError) -> None:
        """Answer a head that is not whole, if there is one, instead of waiting for it."""
        if self._boundary.head_begun and not self._is_deaf:
            self._queue_flaw(error)

    def head_of(self, message: RawRequestMessage) -> HeadRead | None:
        """Return, once, what was noted when a request's head was read; None of a flawed one."""
        if self._heads_read and self._heads_read[0][0] is message:
            return self._heads_read.popleft()[1]
        return None

    def _stop_listening(self) -> None:
        """Drop what comes from now on, and let go of what has come and was not taken."""
        self._discarding = True
        self._boundary.drop()
        if self._receiving.exception() is None:
            self._receiving.read_nowait()

    # The event loop's side, and aiohttp's.

    def data_received(self, data: bytes) -> None:
        """Let aiohttp parse, part by part, what is not known, and bound what it does not.

        aiohttp calls this with nothing when its buffers have room again.
        """
        if self._is_deaf:
            self._linger.go_on()
        elif self._is_unparsed and not self._is_full and self._boundary.skip(len(data)):
            self._pass_on(data)
        elif not data:
            self._parse(b"")
            self._go_on()
        elif self._may_recall() and (found := self.listens.heads.find_whole(data)) is not None:
            self._recall(*found)
        else:
            self._boundary.receive(data)
            self._go_on()

    def _go_on(self) -> None:
        """Parse what is here, as far as there is room."""
        try:
            while not self._is_full and (part := self._boundary.take()):
                self._parse(part)
        except BadChunk:
            self._spoil_body(flaws.body_broken())
        limit = self._gate.limits.max_body_bytes
        if self._boundary.announced > limit:
            self._spoil_body(BodyTooLarge(f"a chunk is over {limit} bytes (limits.max_body_bytes)"))
        if self._is_deaf:
            self._head_watch.clear()
        elif self._boundary.head_begun and not self._is_full:
            self._after_part_of_head()

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Go on when a body has room again; aiohttp calls this after every read of one."""
        if self._reading_paused:
            super().resume_reading(resume_parser)

    def _make_error_handler(self, err_info: _ErrInfo) -> Callable[[Any], Awaitable[Any]]:
        """Answer a flaw as any refusal is answered (aiohttp calls this)."""

        async def answer(incoming: Incoming) -> Outcome:
            limit = self._limits.max_target_bytes
            incoming.looks_like_head = self._boundary.head.startswith(b"HEAD ")
            incoming.flaw = flaws.refusal_of(err_info.exc, self._boundary.head, limit)
            return await self._gate.handle(incoming)

        return answer

    def _process_keepalive(self) -> None:
        """Close an idle connection (aiohttp calls this); a head under way has its own time."""
        self._keepalive_handle = None
        if not self._boundary.head_begun:
            super()._process_keepalive()

    # Heads and bodies.

    @property
    def _is_deaf(self) -> bool:
        """Tell whether what comes is dropped: after a flaw, an end, or an upgrade we declined.

        What follows the last may be of the other protocol.
        """
        return self._discarding or self._upgraded

    @property
    def _is_full(self) -> bool:
        """Tell whether what comes must wait until requests or body bytes are taken."""
        return (
            self._is_deaf or self._reading_paused or len(self._messages) >= self._max_msg_queue_size
        )

    def _parse(self, part: bytes) -> None:
        """Parse one part; take note of a complete head, or of a flaw that it has."""
        if self._is_unparsed:
            self._pass_on(part)
            return
        known, in_body = self._request_count, not self._receiving.is_eof()
        try:
            super().data_received(part if in_body else flaws.as_taken(part, self._boundary.head))
        except Exception:  # noqa: BLE001 (yarl raises more than ValueError on some targets)
            self._queue_flaw(BadRequest("the request-target is malformed"))
            return
        if self._request_count == known:
            return
        message, payload = self._messages[-1]
        if not isinstance(message, _ErrInfo):
            self._after_head(flaws.as_sent(message, self._boundary.head), payload)
        elif in_body:
            self._messages.pop()
            self._spoil_body(flaws.body_broken())
        else:
            self._discarding = True

    def _may_recall(self) -> bool:
        """Tell whether all that came is served, or being served, and the parser awaits a head.

        One that is bounded as those of new connections are: by these it was judged.
        """
        return (
            self._boundary.is_idle
            and self._receiving.is_eof()
            and not (self._messages or self._reading_paused or self._force_close or self._close)
            and self._has_current_limits()
        )

    def _has_current_limits(self) -> bool:
        """Tell whether heads are bounded here as on a new connection; note it when that changes."""
        ours, current = self._limits, self._gate.limits
        if ours is not current and bounds_of(ours) == bounds_of(current):
            self._limits = current
        return self._limits is current

    def _recall(self, head: bytes, known: Known, body: bytes) -> None:
        """Take a whole request, whose head was parsed and found good before."""
        self._head_watch.clear()
        self._receiving = EMPTY_PAYLOAD
        self._heads_read.append((RECALLED, (head, self.listens.heads, known, body)))
        self._request_count += 1
        self._queue(RECALLED)

    def _after_head(self, message: RawRequestMessage, payload: StreamReader) -> None:
        self._head_watch.clear()
        self._messages[-1] = (message, payload)
        head, heads = self._boundary.head, self.listens.heads
        known = heads.recall(head)
        # The same bytes were parsed and found good before.
        flaw = flaws.find_forgiven(message, head) if known is None else None
        if flaw is not None:
            self._messages.pop()
            self._queue_flaw(flaw)
            return
        self._heads_read.append((message, (head, heads, known, None)))
        self._receiving = payload
        if payload is EMPTY_PAYLOAD:
            framing: Framing | None = NO_BODY
        else:
            framing = flaws.reframe(message) if known is None else known.plan.request.framing
        if framing is None:
            # The request will be refused, and nothing tells where a next one would begin.
            self._discarding = True
        else:
            self._boundary.end_head(framing)
            # The parser tells of an upgrade only when it has seen the body's end.
            self._is_unparsed = framing.length > MOST_PARSED_BYTES and not message.upgrade

    def _expect_head(self) -> None:
        deadline = self._loop.time() + self._gate.timeouts.head_s
        self._head_watch.set(deadline, self._head_timed_out)

    def _after_part_of_head(self) -> None:
        if self._boundary.head_too_large:
            limit = self._limits.max_head_bytes
            self._queue_flaw(HeadTooLarge(f"the head is over {limit} bytes"))
        elif not self._head_watch.is_set:
            self._expect_head()

    def _head_timed_out(self) -> None:
        if self._boundary.head_begun:
            seconds = self._gate.timeouts.head_s
            self._queue_flaw(RequestTimeout(f"the head did not come within {seconds:g} s"))
        else:
            self.force_close()

    def _queue_flaw(self, exc: Exception) -> None:
        """Put a flaw where aiohttp puts those of its parser."""
        self._discarding = True
        self._queue(_ErrInfo(400, exc, ""))

    def _queue(self, message: RawRequestMessage | _ErrInfo) -> None:
        """Put a request without a body to be read where aiohttp puts those that it parsed."""
        self._messages.append((message, EMPTY_PAYLOAD))
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

"""A caller's connection: aiohttp's, with the limits, timeouts and answers of ours.

aiohttp parses (llhttp, strict), keeps alive, queues pipelined requests and declines
upgrades. What it does not bound is bounded here: the time and size of a head, a body
that stops coming, a caller that stops reading, and a close that would destroy an answer
still on its way.

Rule 1: every use of aiohttp's private names is in this module.
Rule 2: nothing is decided here; a flaw that the parser found becomes a `Refused` and is
        answered by the same place as all others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol, cast

from aiohttp import web
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import RequestHandler, _ErrInfo

from gateway.config.model import Limits, Timeouts
from gateway.core.message import Listener
from gateway.engine.flaws import refusal_of
from gateway.engine.incoming import Incoming, Outcome
from gateway.engine.watch import Watch
from gateway.errors import BadRequest, GatewayError, HeadTooLarge, RequestTimeout

# After an answer that ends the connection, input is read and dropped for this long, so that
# the kernel does not answer it with a reset that overtakes the answer (RFC 9112 section 9.6).
LINGER_S = 2.0
# Enough of a request line to name its method.
_FIRST_BYTES = 512


class Gate(Protocol):
    """What a connection needs of the exchange side."""

    limits: Limits
    timeouts: Timeouts

    def admit(self) -> GatewayError | None:
        """Count a connection in; return why it must be turned away."""
        ...

    def leave(self) -> None:
        """Count a connection out."""
        ...

    async def handle(self, incoming: Incoming) -> Outcome:
        """Serve one request, or answer its `flaw`; write the whole answer."""
        ...


class CallerConnection(RequestHandler):
    """One accepted connection."""

    __slots__ = (
        "_body_watch",
        "_discarding",
        "_first",
        "_gate",
        "_head_bytes",
        "_head_watch",
        "_lingering",
        "_receiving",
        "_stall",
        "_taken",
        "_wire",
        "_written",
        "listener",
    )

    def __init__(
        self, manager: web.Server, gate: Gate, listener: Listener, loop: asyncio.AbstractEventLoop
    ) -> None:
        limits = gate.limits
        super().__init__(
            manager,
            loop=loop,
            keepalive_timeout=gate.timeouts.keepalive_s,
            access_log=cast(Any, None),
            max_line_size=limits.max_target_bytes,
            max_field_size=limits.max_head_bytes,
            # A field takes four bytes at least, so the size of the head is the tighter bound.
            max_headers=limits.max_head_bytes // 4,
            lingering_time=0.0,
            read_bufsize=65536,
            auto_decompress=False,
        )
        self._gate = gate
        self.listener = listener
        self._wire: asyncio.Transport | None = None
        self._head_watch = Watch(loop)
        self._body_watch = Watch(loop)
        self._stall = Watch(loop)
        self._first = b""
        self._head_bytes = 0
        self._receiving: StreamReader = EMPTY_PAYLOAD
        self._discarding = False
        self._lingering: asyncio.Future[None] | None = None
        self._written = 0
        self._taken = 0

    # The exchange's side.

    def write(self, data: bytes) -> None:
        """Write to the caller, and watch that the caller takes it."""
        wire = self._wire
        if wire is None:
            return
        wire.write(data)
        self._written += len(data)
        if not self._stall.is_set and wire.get_write_buffer_size():
            self._watch_stall()

    async def drain(self) -> None:
        """Wait until the caller has taken enough to be sent more."""
        if self._paused:
            await self._drain_helper()

    async def read_body(self, payload: StreamReader, deadline: float) -> bytes:
        """Return the next bytes of a request body, b"" at its end.

        Raises `RequestTimeout` when none come in time, `BadRequest` when the coding is broken.
        """
        if payload.is_eof():
            return await payload.readany()
        if self.transport is None:
            raise ConnectionResetError("the caller is gone")
        limit = min(deadline, self._loop.time() + self._gate.timeouts.body_idle_s)
        self._body_watch.set(limit, lambda: payload.set_exception(_body_stalled()))
        try:
            return await payload.readany()
        finally:
            self._body_watch.clear()

    async def linger(self) -> None:
        """Say that no more will be written, and drop what still comes in for a while."""
        wire = self._wire
        if wire is None or wire.is_closing():
            return
        self._discarding = True
        self._resume_transport_reading()
        if wire.can_write_eof():
            with suppress(OSError, RuntimeError):
                wire.write_eof()
        self._lingering = self._loop.create_future()
        self._body_watch.set(self._loop.time() + LINGER_S, self._end_linger)
        await self._lingering

    def abort(self) -> None:
        """Cut the connection, so that what was sent cannot look complete."""
        if self._wire is not None:
            self._wire.abort()

    def close_if_idle(self) -> None:
        """Close the connection when it waits for a next request and none has begun."""
        if self._waiter is not None and not self._messages and not self._head_bytes:
            self.force_close()

    # The event loop's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit the connection, or turn it away; start to wait for a head."""
        super().connection_made(transport)
        self._wire = cast(asyncio.Transport, transport)
        refusal = self._gate.admit()
        if refusal is not None:
            self._queue_flaw(refusal)
        else:
            self._expect_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection; aiohttp cancels the exchange."""
        for watch in (self._head_watch, self._body_watch, self._stall):
            watch.close()
        if self._wire is not None:
            self._gate.leave()
            self._wire = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Let aiohttp parse, and bound what it does not."""
        if self._discarding:
            return
        if not self._head_bytes:
            self._first = data[:_FIRST_BYTES]
        known, in_body = self._request_count, not self._receiving.is_eof()
        try:
            super().data_received(data)
        except ValueError as exc:
            # yarl refuses some targets that llhttp lets through.
            self._queue_flaw(exc)
        if self._request_count != known:
            self._after_heads()
        elif not in_body and data.strip(b"\r\n"):
            self._after_part_of_head(len(data))

    def _make_error_handler(self, err_info: _ErrInfo) -> Callable[[Any], Awaitable[Any]]:
        """Answer a flaw as any refusal is answered (aiohttp calls this)."""

        async def answer(incoming: Incoming) -> Outcome:
            first, limit = self._first, self._gate.limits.max_target_bytes
            incoming.flaw = refusal_of(err_info.exc, first, limit)
            return await self._gate.handle(incoming)

        return answer

    # Heads.

    def _expect_head(self) -> None:
        deadline = self._loop.time() + self._gate.timeouts.head_s
        self._head_watch.set(deadline, self._head_timed_out)

    def _after_heads(self) -> None:
        """Take note of complete heads, or of a flaw that the parser stopped at."""
        self._head_bytes = 0
        message, payload = self._messages[-1] if self._messages else (None, EMPTY_PAYLOAD)
        if isinstance(message, _ErrInfo):
            self._discarding = True
            if not self._receiving.is_eof():
                self._receiving.set_exception(_body_broken())
        else:
            self._receiving = payload
        self._head_watch.clear()

    def _after_part_of_head(self, size: int) -> None:
        if not self._head_bytes:
            self._expect_head()
        self._head_bytes += size
        limits = self._gate.limits
        if self._head_bytes > limits.max_head_bytes + limits.max_target_bytes:
            self._queue_flaw(HeadTooLarge(f"the head is over {limits.max_head_bytes} bytes"))

    def _head_timed_out(self) -> None:
        if self._head_bytes:
            seconds = self._gate.timeouts.head_s
            self._queue_flaw(RequestTimeout(f"the head did not come within {seconds:g} s"))
        else:
            self.force_close()

    def _queue_flaw(self, exc: Exception) -> None:
        """Put a flaw where aiohttp puts those of its parser."""
        self._discarding = True
        self._messages.append((_ErrInfo(400, exc, ""), EMPTY_PAYLOAD))
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # A caller that stops reading.

    def _watch_stall(self) -> None:
        self._taken = self._written - self._unsent()
        self._stall.set(self._loop.time() + self._gate.timeouts.client_write_s, self._check_stall)

    def _check_stall(self) -> None:
        unsent = self._unsent()
        if not unsent:
            return
        if self._written - unsent > self._taken:
            self._watch_stall()
        else:
            self.abort()

    def _unsent(self) -> int:
        return self._wire.get_write_buffer_size() if self._wire is not None else 0

    def _end_linger(self) -> None:
        if self._lingering is not None and not self._lingering.done():
            self._lingering.set_result(None)


def _body_stalled() -> RequestTimeout:
    return RequestTimeout("the body did not come in time")


def _body_broken() -> BadRequest:
    return BadRequest("the body is not chunked as RFC 9112 section 7.1 has it")

"""One request of the fast lane, from its head to its answer.

When a token and an idle connection are at hand, and the reply comes whole and is the
caller's, all of it happens here, in two steps of the event loop and without a task. In any
other case a task goes on from where this has come, as one would in the main lane.

Rule 1: nothing is decided here that is not decided in the same words in the main lane.
Rule 2: what has been paid for, taken or asked is handed to the task, or settled here; once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Protocol

from gateway.core.chunked import LAST_CHUNK, render_chunk
from gateway.core.framing import CHUNKS, LENGTH, Framing, framing_line
from gateway.credentials.tokens import Token
from gateway.engine.events import Record
from gateway.engine.exchange import Exchange, begin_answer
from gateway.engine.gate import Gate
from gateway.engine.incoming import Connection
from gateway.engine.known_heads import Known
from gateway.engine.recording import new_request_id
from gateway.engine.relinking import relink_whole
from gateway.engine.upload import WholeUpload, restore_whole
from gateway.engine.upstream import UpstreamConnection
from gateway.engine.way import Begun
from gateway.errors import Draining, GatewayError, Internal
from gateway.policy.rates import Spent

# Bytes that come after a close destroy what the other side has not got. An answer as short as this
# has left when the close does, and nobody sends more after saying that it is the last request.
SHORT_BYTES = 16384


class CallConnection(Connection, Protocol):
    """What a call needs of its connection besides."""

    @property
    def is_caught_up(self) -> bool:
        """Tell whether all that came has been served."""

    def served(self, *, keep: bool) -> None:
        """Take note that the call is over."""


class FastCall:
    """A request that is all here: `start` it, or `begin` and `abandon` one that stays a part."""

    __slots__ = (
        *("_asked_at", "_body", "_deadline", "_gate", "_is_carried", "_known", "_loop", "_outfit"),
        *("_record", "_spent", "_task", "_token", "_upstream", "_way", "connection"),
    )

    # A HEAD is not plain, nor is HTTP/1.0.
    is_head = is_old = False
    is_read = True
    flaw: GatewayError | None = None

    def __init__(
        self,
        connection: CallConnection,
        gate: Gate,
        known: Known,
        body: bytes,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.connection = connection
        self._gate = gate
        self._outfit = outfit = gate.outfit
        self._way = outfit.ways[known.upstream]
        self._known = known
        self._body = body
        self._loop = loop
        request_id = known.request_id or new_request_id()
        self._record = Record(request_id, time.monotonic(), known.asked)
        self._token: Token | None = None
        self._spent: Spent | None = None
        self._upstream: UpstreamConnection | None = None
        self._asked_at = 0.0
        self._deadline = 0.0
        self._is_carried = False
        self._task: asyncio.Task[None] | None = None

    @property
    def is_last(self) -> bool:
        """Tell whether the connection ends with the answer."""
        return self._known.is_last

    def begin(self) -> None:
        """Take note that the request is under way."""
        self._gate.begin(self, self._record)

    def start(self) -> None:
        """Ask upstream, or have a task do so."""
        self._gate.begin(self, self._record)
        try:
            self._start()
        except Exception as bug:  # noqa: BLE001 (the border: what is not ours is a bug, and is told)
            self._fail_by(bug)

    def cancel(self) -> None:
        """Answer that the gateway is shutting down."""
        if not self._stop():
            self._end(Draining("the gateway is shutting down"))

    def abandon(self) -> None:
        """Stop, because the caller is gone."""
        if not self._stop():
            self._gate.note_gone(self._record)
            self._gate.end(self, self._record, self._outfit)

    def _start(self) -> None:
        self._deadline = self._loop.time() + self._outfit.policy.first_byte_s
        way = self._way
        if way.credential is not None:
            self._token = way.credential.ready()
            if self._token is None:
                self._go_on()
                return
        self._spent = way.toll.pay_now(self._known.plan.permitted)
        upstream = way.pool.take() if self._spent is not None else None
        if upstream is None:
            self._go_on()
        else:
            self._ask(upstream)

    def _ask(self, upstream: UpstreamConnection) -> None:
        known, record = self._known, self._record
        way = self._way
        way.budget.earn()
        self._upstream = upstream
        self._asked_at = time.monotonic()
        record.attempts = 1
        record.queue_s = self._asked_at - record.started
        body, framing = self._body, known.framing_line
        record.bytes_in = len(body)
        if known.restore is not None:
            body = restore_whole(body, self._outfit.limits, known.restore)
            if len(body) != known.length:
                framing = framing_line(Framing(LENGTH, len(body)))
        credential = way.credential_line.render(known.scheme, self._token)
        upstream.ask(known.method, b"%b%b%b\r\n%b" % (known.start, framing, credential, body))
        upstream.expect(self._deadline, self._on_news)

    def _on_news(self) -> None:
        """Answer with a reply that is whole and wants nothing; leave any other to a task."""
        try:
            if not self._answer():
                self._go_on()
                return
        except Exception as bug:  # noqa: BLE001 (the border: what is not ours is a bug, and is told)
            self._fail_by(bug)
            return
        self._gate.end(self, self._record, self._outfit)
        self._finish(keep=not self._known.is_last)

    def _answer(self) -> bool:
        """Answer at once; tell whether that could be done."""
        upstream, known, record = self._upstream, self._known, self._record
        reply = upstream.whole_reply() if upstream is not None else None
        if upstream is None or reply is None or self._gate.is_ending(self):
            return False
        head, plan = reply[0], known.plan
        if head.status == 401 or head.status >= 429:
            return False
        if plan.links is not None:
            reply = relink_whole(*reply, plan.links)
            if reply is None:
                return False
        told, data = reply
        record.upstream_first_byte_s = record.upstream_s = time.monotonic() - self._asked_at
        answer, framing = begin_answer(plan, told, record, close=known.is_last)
        if framing.kind is LENGTH and framing.length:
            record.bytes_out = framing.length
            answer += data
        else:
            answer += self._framed(data, framing)
        self.connection.write(answer)
        self._upstream = None
        self._way.pool.release(upstream)
        spent, self._spent = self._spent, None
        if spent is not None:
            self._way.toll.settle(spent, head)
        return True

    def _framed(self, data: bytes, framing: Framing) -> bytes:
        if not framing.has_body:
            return b""
        self._record.bytes_out = len(data)
        if framing.kind is not CHUNKS:
            return data
        return (render_chunk(data) if data else b"") + LAST_CHUNK

    def _make_upload(self) -> WholeUpload:
        known = self._known
        return WholeUpload(self._body, known.framing, self._outfit.limits, known.restore)

    def _go_on(self) -> None:
        upload = self._make_upload()
        if self._upstream is not None:
            upload.begin()
        self._task = self._loop.create_task(self._carry_on(upload))

    async def _take_leave(self) -> None:
        await self.connection.linger()
        self.connection.served(keep=False)

    async def _carry_on(self, upload: WholeUpload) -> None:
        """Serve from here as in the main lane."""
        self._is_carried = True
        begun = Begun(self._spent, self._token, self._upstream, self._asked_at)
        plan = self._known.plan.due(self._deadline)
        exchange = Exchange(self, plan, self._record, upload, self._outfit.timeouts.idle_s)

        def serve() -> Awaitable[bool]:
            return exchange.run(self._way, lambda: self._gate.is_ending(self), begun)

        keep = await self._gate.carry_out(self, self._record, self, self._outfit, serve)
        self.connection.served(keep=keep)

    def _stop(self) -> bool:
        """Stop what is under way; tell whether a task does all that is left to do.

        A task that has not begun would never do it.
        """
        if self._task is not None:
            self._task.cancel()
        if not self._is_carried:
            self._let_go()
        return self._is_carried

    def _fail_by(self, bug: Exception) -> None:
        self._record.bug = bug
        self._let_go()
        self._end(Internal())

    def _let_go(self) -> None:
        if self._upstream is not None:
            self._upstream.abort()
            self._record.upstream_s = time.monotonic() - self._asked_at
        if self._spent is not None:
            self._way.toll.release(self._spent, sent=self._upstream is not None)
        self._upstream = self._spent = None

    def _end(self, error: GatewayError) -> None:
        keep = self._gate.fail(self, self._record, error)
        self._gate.end(self, self._record, self._outfit)
        self._finish(keep=keep)

    def _finish(self, *, keep: bool) -> None:
        """Let the connection go on, or end without losing the answer."""
        if keep or (self._record.bytes_out <= SHORT_BYTES and self.connection.is_caught_up):
            self.connection.served(keep=keep)
        else:
            self._is_carried = True
            self._task = self._loop.create_task(self._take_leave())

"""One request of the fast lane, from its head to its answer.

Where the short way (`swift.py`) leads to the end, that takes two steps of the event loop and
no task. In any other case a task goes on from where it has come, as one would in the main
lane.

Rule: what has been paid for, taken or asked is handed to the task, or settled here; once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Protocol

from gateway.engine.dismissal import dismissal_of
from gateway.engine.events import Record
from gateway.engine.exchange import Exchange
from gateway.engine.gate import Gate
from gateway.engine.incoming import Connection
from gateway.engine.known import Known
from gateway.engine.recording import new_request_id
from gateway.engine.swift import Swift
from gateway.engine.way import Begun
from gateway.errors import GatewayError, Internal

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


class FastCall(Swift):
    """A request that is all here: `start` it, or `begin` and `abandon` one that stays a part."""

    __slots__ = ("_gate", "_is_carried", "_task", "connection")

    # A HEAD is not plain, nor is HTTP/1.0.
    is_head = is_old = False
    flaw: GatewayError | None = None

    def __init__(
        self,
        connection: CallConnection,
        gate: Gate,
        known: Known,
        body: bytes,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        request_id = known.request_id or new_request_id()
        record = Record(request_id, time.monotonic(), known.asked, connection.client_address)
        # `super()` takes as long as all that follows.
        Swift.__init__(self, gate.outfit, known, body, record, loop)
        self.connection = connection
        self._gate = gate
        self._is_carried = False
        self._task: asyncio.Task[None] | None = None

    @property
    def is_last(self) -> bool:
        """Tell whether the connection ends with the answer."""
        return self._known.is_last

    @property
    def is_read(self) -> bool:
        """Tell whether all that the caller sent of it has been taken in."""
        return True

    def begin(self) -> None:
        """Take note that the request is under way."""
        self._gate.begin(self, self._record)

    def start(self) -> None:
        """Ask upstream, or have a task do so."""
        self._gate.begin(self, self._record)
        try:
            if not self._set_out(self._on_news):
                self._go_on()
        except Exception as bug:  # noqa: BLE001 (the border: what is not ours is a bug, and is told)
            self._fail_by(bug)

    def cancel(self) -> None:
        """Answer that the gateway is shutting down."""
        if not self._stop():
            self._end(dismissal_of(self._record))

    def abandon(self) -> None:
        """Stop, because the caller is gone."""
        if not self._stop():
            self._gate.note_gone(self._record)
            self._gate.end(self, self._record, self._outfit)

    def _on_news(self) -> None:
        """Answer with a reply that is whole and wants nothing; leave any other to a task."""
        is_last = self._known.is_last
        try:
            if self._gate.is_ending(self) or not self._answer(self.connection, close=is_last):
                self._go_on()
                return
        except Exception as bug:  # noqa: BLE001 (the border: what is not ours is a bug, and is told)
            self._fail_by(bug)
            return
        self._gate.end(self, self._record, self._outfit)
        self._finish(keep=not is_last)

    def _go_on(self) -> None:
        self._task = self._loop.create_task(self._carry_on(*self._hand_on(self)))

    async def _take_leave(self) -> None:
        await self.connection.linger()
        self.connection.served(keep=False)

    async def _carry_on(self, exchange: Exchange, begun: Begun) -> None:
        """Serve from here as in the main lane."""
        self._is_carried = True

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

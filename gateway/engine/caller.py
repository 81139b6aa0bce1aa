"""A caller's connection in the main lane: what is read from it and written to it, and its end.

The incoming half is `reception.py`'s. Here is what else aiohttp leaves unbounded: a body
that stops coming, a caller that stops reading, and a close that would destroy an answer
still on its way.

Rule: a connection is counted in and out exactly once, whatever happens to it.
"""

from __future__ import annotations

import asyncio
from typing import cast

from gateway.core.message import Listener
from gateway.engine.incoming import Gate, Manager
from gateway.engine.listen import address_of
from gateway.engine.outflow import Outflow, Outgoing
from gateway.engine.reception import Reception
from gateway.engine.wire import Wire


class CallerConnection(Outgoing, Reception):
    """One accepted connection."""

    __slots__ = ("_head_by", "_outflow", "_was_told", "client_address", "listener")

    def __init__(
        self,
        manager: Manager,
        gate: Gate,
        listener: Listener,
        loop: asyncio.AbstractEventLoop,
        *,
        head_by: float | None = None,
    ) -> None:
        """Take a connection that is to be admitted, or was when another lane had it.

        That one gives the time, in event-loop seconds, by which the head is to be whole.
        """
        super().__init__(manager, gate, loop)
        self._head_by = head_by
        self.listener = listener
        self.client_address = ""
        self._outflow: Outflow | None = None
        # Nothing but that there is no room.
        self._was_told = False

    # The exchange's side.

    @property
    def has_room(self) -> bool:
        """Tell whether the caller takes what is written."""
        return not self._paused

    async def drain(self) -> None:
        """Wait until the caller has taken enough to be sent more."""
        if self._paused:
            await self._drain_helper()

    async def linger(self) -> None:
        """Say that no more will be written, and drop what still comes in for a while."""
        self._stop_listening()
        if self._outflow is None or self._outflow.is_closing:
            return
        self._resume_transport_reading()
        self._outflow.end()
        await self._linger.wait()

    def close_if_idle(self) -> None:
        """Close the connection when it waits for a next request and none has begun."""
        if self._waiter is not None and not self._messages and not self._boundary.head_begun:
            self.force_close()

    # The event loop's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit the connection, or turn it away; start to wait for a head."""
        given: object = transport
        if isinstance(given, Wire):
            # The other lane's, with what that has not sent yet.
            wire = given
        else:
            wire = Wire(cast(asyncio.Transport, transport), self._loop)
        super().connection_made(cast(asyncio.Transport, wire))
        self.client_address = address_of(transport, self.listener)
        self._outflow = Outflow(self._loop, wire, self._gate.timeouts.client_write_s)
        if self._head_by is not None:
            # The other lane has admitted it.
            self._outflow.take_over()
            self._head_watch.set(self._head_by, self._head_timed_out)
            return
        refusal = self._gate.admit()
        self._was_told = refusal is not None
        if refusal is None:
            self._expect_head()
        elif self._gate.is_swamped:
            self.abort()
        else:
            self._queue_flaw(refusal)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection; aiohttp cancels the exchange."""
        self._head_watch.close()
        self.bodies.close()
        self._linger.close()
        if self._outflow is not None:
            self._outflow.close()
            self._outflow = None
            self._gate.leave(was_told=self._was_told)
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]  # aiohttp narrows a bool to None
        """Close, but for an answer to a flaw, which the caller may still want to read.

        A caller that ends its half of the connection cannot be told from one that is gone.
        """
        if self._outflow is not None:
            # The event loop closes its transport after this, and knows nothing of what is held.
            self._outflow.flush()
        self._linger.end()
        return self._discarding

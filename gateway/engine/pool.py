"""Idle connections to one origin, newest first.

The newest is the likeliest to be still open, and the oldest can then age out. A
connection that upstream closed, or that spoke unasked, is dropped when it is met.

Rule 1: a connection is here only while nobody uses it.
Rule 2: this module knows nothing of requests.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import Protocol

from gateway.engine.upstream import UpstreamConnection
from gateway.errors import Overloaded, UpstreamFailed, UpstreamUnreachable
from gateway.policy.circuit import Circuit

# Below the 60 to 75 seconds after which upstreams commonly close an idle connection.
IDLE_S = 45.0


class Connects(Protocol):
    """Opens a connection, as `connect.Connector` does."""

    async def connect(self, deadline: float) -> UpstreamConnection:
        """Return a new connection by `deadline`, or raise `UpstreamFailed`."""
        ...


class Pool:
    """The connections of one origin; at most `max_idle` are kept."""

    def __init__(self, loop: asyncio.AbstractEventLoop, connector: Connects, max_idle: int) -> None:
        self._loop = loop
        self._connector = connector
        self.max_idle = max_idle
        self._idle: deque[UpstreamConnection] = deque()
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False
        self.circuit = Circuit()
        # Why the latest connect failed, and whether one has not.
        self._trouble = ""
        self._was_reached = False
        self._probing: asyncio.Task[None] | None = None

    @property
    def idle_count(self) -> int:
        """Return how many connections wait here and are open."""
        return sum(connection.is_open for connection in self._idle)

    @property
    def trouble(self) -> str | None:
        """Return why the origin is not counted on: it was never reached, or is out of reach."""
        if self._was_reached and not self.circuit.is_open:
            return None
        return self._trouble or "not reached yet"

    def probe(self) -> None:
        """Have the origin connected to unless a connection waits that shows it within reach.

        Soon, and once at a time; nobody waits for it.
        """
        is_probed = self._probing is not None and not self._probing.done()
        is_in_reach = self.trouble is None and self.idle_count > 0
        if not (is_in_reach or is_probed or self._closed):
            self._probing = self._loop.create_task(self._probe())

    async def acquire(self, deadline: float, *, fresh: bool = False) -> UpstreamConnection:
        """Return an idle connection, or a new one by `deadline`.

        `fresh` wants a new one, unless the origin is known to be out of reach.
        """
        if self.circuit.is_open or not fresh:
            connection = self.take()
            if connection is not None:
                return connection
        return await self._connect(deadline)

    def take(self) -> UpstreamConnection | None:
        """Return an idle connection, None when there is none that can be used."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_quiet():
                return connection
            connection.abort()
        return None

    def release(self, connection: UpstreamConnection, *, is_new: bool = False) -> None:
        """Take a connection back, or a new one in; close it when it cannot serve again."""
        if self._closed or not (connection.is_reusable() or is_new):
            connection.abort()
            return
        if len(self._idle) >= self.max_idle:
            self._idle.popleft().abort()
        connection.rest()
        self._idle.append(connection)
        if self._sweep is None:
            self._sweep = self._loop.call_later(IDLE_S, self._drop_old)

    def close(self) -> None:
        """Close what is idle, and from now on what comes back."""
        self._closed = True
        if self._probing is not None:
            self._probing.cancel()
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        while self._idle:
            self._idle.pop().abort()

    async def _connect(self, deadline: float) -> UpstreamConnection:
        """Open a connection, unless the origin is known to be out of reach."""
        retry_at = self.circuit.refusal(self._loop.time())
        if retry_at is not None:
            wait_s = retry_at - self._loop.time()
            raise UpstreamUnreachable(f"{self._trouble}; tried again in {wait_s:.1f} s", sent=False)
        try:
            connection = await self._connector.connect(deadline)
        except UpstreamFailed as error:
            now = self._loop.time()
            if now < deadline:
                # What the request's own deadline ended says nothing of the origin.
                self._trouble = error.message
                self.circuit.fail(now)
            raise
        self.circuit.succeed()
        self._was_reached = True
        return connection

    async def _probe(self) -> None:
        try:
            # No request waits for it; the connector has a limit of its own.
            connection = await self._connect(math.inf)
        except UpstreamFailed:
            # The reason is kept, and told to whoever asks.
            return
        except Overloaded as error:
            self._trouble = error.message
            return
        self.release(connection, is_new=True)

    def _drop_old(self) -> None:
        """Close connections that idled for too long or are gone; look again while some are left."""
        oldest = self._loop.time() - IDLE_S
        while self._idle and (self._idle[0].idle_since <= oldest or not self._idle[0].is_open):
            self._idle.popleft().abort()
        self._sweep = None
        if self._idle:
            due = self._idle[0].idle_since + IDLE_S
            self._sweep = self._loop.call_at(due, self._drop_old)

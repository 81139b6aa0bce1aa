"""One listener made of several: whoever listens hears of everything, in order.

Rule 1: a room that tells of itself knows one listener; how many there are is settled where
        the gateway is put together.
Rule 2: requests are told of together, soon after they end: telling of each by itself costs
        twice, because the processor has forgotten how by then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from gateway.credentials.events import Events as CredentialEvents
from gateway.engine.events import Record

# A process that is killed loses what it has not told; what went wrong is told in the same turn.
TELL_WITHIN_S = 0.02
# 24 and 64 gain no more, and these hold the event loop up for 33 us, or longer when it was idle.
ENOUGH = 8


class Listener(Protocol):
    """Hears of every request exactly once, of several at a time."""

    def hear(self, records: Iterable[Record]) -> None:
        """Take note of requests that are over; whoever raises is told of those that are left."""
        ...


class Fanout:
    """Passes what the engine tells on to all `listeners`; on the event loop."""

    __slots__ = ("_listeners", "_records", "_timer")

    def __init__(self, listeners: tuple[Listener, ...]) -> None:
        self._listeners = listeners
        self._records: list[Record] = []
        self._timer: asyncio.TimerHandle | None = None

    def finished(self, record: Record) -> None:
        """Pass on soon that a request is over."""
        records = self._records
        records.append(record)
        if len(records) == ENOUGH or record.status >= 500 or record.cut:
            # At the end of the turn, with those that it still brings.
            asyncio.get_running_loop().call_soon(self.tell)
        elif self._timer is None:
            # One that finds nothing, or only what is newer, costs less than to cancel it.
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(TELL_WITHIN_S, self._on_timer)

    def tell(self) -> None:
        """Pass on now what is not passed on yet."""
        # Made first: making it may collect garbage, and that may log (CPython 3.11).
        fresh: list[Record] = []
        records, self._records = self._records, fresh
        for listener in self._listeners:
            left = iter(records)
            for _ in records:
                try:
                    listener.hear(left)
                    break
                except Exception as error:  # noqa: BLE001 (the others must be told of)
                    context = {"message": "a request was not told of", "exception": error}
                    asyncio.get_running_loop().call_exception_handler(context)

    def _on_timer(self) -> None:
        self._timer = None
        self.tell()


@dataclass(frozen=True, slots=True)
class CredentialFanout:
    """Passes what credentials tell on to all `listeners`."""

    listeners: tuple[CredentialEvents, ...]

    def token_changed(self, credential: str, generation: int) -> None:
        """Pass on that another token is used."""
        for listener in self.listeners:
            listener.token_changed(credential, generation)

    def token_unreadable(self, credential: str, reason: str) -> None:
        """Pass on that a token cannot be read."""
        for listener in self.listeners:
            listener.token_unreadable(credential, reason)

    def refresh_finished(self, credential: str, outcome: str, reason: str) -> None:
        """Pass on how a renewal ended."""
        for listener in self.listeners:
            listener.refresh_finished(credential, outcome, reason)

    def store_failed(self, credential: str, reason: str) -> None:
        """Pass on that a token could not be shared or kept."""
        for listener in self.listeners:
            listener.store_failed(credential, reason)

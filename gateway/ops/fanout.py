"""One listener made of several: whoever listens hears of everything, in order.

Rule 1: a room that tells of itself knows one listener; how many there are is settled where
        the gateway is put together.
Rule 2: requests that end in one turn of the event loop are told of at its end, one after
        the other: telling of each between two others costs twice, because the processor
        has then forgotten how.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from gateway.credentials.events import Events as CredentialEvents
from gateway.engine.events import Events, Record


class Fanout:
    """Passes what the engine tells on to all `listeners`; on the event loop."""

    __slots__ = ("_listeners", "_records")

    def __init__(self, listeners: tuple[Events, ...]) -> None:
        self._listeners = listeners
        self._records: list[Record] = []

    def finished(self, record: Record) -> None:
        """Pass on soon that a request is over."""
        if not self._records:
            loop = asyncio.get_running_loop()
            loop.call_soon(self._tell, loop)
        self._records.append(record)

    def _tell(self, loop: asyncio.AbstractEventLoop) -> None:
        records, self._records = self._records, []
        for listener in self._listeners:
            tell = listener.finished
            for record in records:
                try:
                    tell(record)
                except Exception as error:  # noqa: BLE001 (the others must be told of)
                    context = {"message": "a request was not told of", "exception": error}
                    loop.call_exception_handler(context)


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

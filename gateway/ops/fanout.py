"""One listener made of several: whoever listens hears of everything, in order.

Rule: a room that tells of itself knows one listener; how many there are is settled where
the gateway is put together.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.credentials.events import Events as CredentialEvents
from gateway.engine.events import Events, Record


@dataclass(frozen=True, slots=True)
class Fanout:
    """Passes what the engine tells on to all `listeners`."""

    listeners: tuple[Events, ...]

    def finished(self, record: Record) -> None:
        """Pass on that a request is over."""
        for listener in self.listeners:
            listener.finished(record)


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

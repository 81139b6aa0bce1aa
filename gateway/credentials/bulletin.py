"""What is told of one credential: how attempts end, and where it stands.

Listeners hear of the end of each attempt; the latest one is kept for whoever asks, and so
is a renewal that was denied, as long as the denial holds.

Rule 1: metadata only, never a token.
Rule 2: what is denied again and again is told once, for a refusal may come with every request.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from gateway.credentials.events import Events
from gateway.credentials.renewal import Held
from gateway.credentials.setbacks import Setback
from gateway.credentials.tokens import Status


class Bulletin:
    """Tells `events` of a credential, and keeps the latest; `clock` is seconds since the epoch."""

    def __init__(self, name: str, kind: str, events: Events, clock: Callable[[], float]) -> None:
        self._name = name
        self._kind = kind
        self._events = events
        self._clock = clock
        self._outcome: tuple[str, float] | None = None
        self._denied: Setback | None = None

    def token_changed(self, generation: int) -> None:
        """Tell that requests are sent with another token."""
        self._denied = None
        self._events.token_changed(self._name, generation)

    def store_failed(self, reason: str) -> None:
        """Tell that the store could not be asked."""
        self._events.store_failed(self._name, reason)

    def finished(self, outcome: str, reason: str = "") -> None:
        """Tell how an attempt ended."""
        self._outcome = (outcome, self._clock())
        self._events.refresh_finished(self._name, outcome, reason)

    def denied(self, setback: Setback, now: float) -> None:
        """Tell that a refused token is not renewed; `now` is event-loop seconds."""
        is_news = self._denied is None or now >= self._denied.retry_at
        self._denied = setback
        if is_news:
            self.finished(setback.outcome, setback.reason)

    def status(
        self, held: Held, expires_at: float | None, setback: Setback | None, now: float
    ) -> Status:
        """Return what may be told of the credential; `now` is event-loop seconds."""
        if setback is None and self._denied is not None and now < self._denied.retry_at:
            setback = self._denied
        retry_in_s = setback.retry_at - now if setback is not None else math.inf
        return Status(
            grant=self._kind,
            generation=held.generation if held.holding is not None else 0,
            expires_at=expires_at,
            outcome=self._outcome[0] if self._outcome else "none",
            outcome_at=self._outcome[1] if self._outcome else None,
            retry_at=self._clock() + max(retry_in_s, 0.0) if math.isfinite(retry_in_s) else None,
            reason=setback.reason if setback is not None else "",
        )

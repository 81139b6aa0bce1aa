"""One `Events` made of several: whoever listens hears of every request, in order.

Rule: the engine knows one listener; how many there are is settled where the gateway is
put together.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.engine.events import Events, Record


@dataclass(frozen=True, slots=True)
class Fanout:
    """Passes each event on to all `listeners`."""

    listeners: tuple[Events, ...]

    def finished(self, record: Record) -> None:
        """Pass on that a request is over."""
        for listener in self.listeners:
            listener.finished(record)

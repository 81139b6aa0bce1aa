"""Whose connection is served, and who is told that there is no room.

Rule 1: who is only told takes no room of those that are served, and is told by a number at most.
Rule 2: each connection is counted in and out exactly once.
"""

from __future__ import annotations

from gateway.errors import GatewayError, Overloaded

# Connections over the limit that get a 503; each holds a descriptor until its caller has read it.
TOLD_TOO_MANY = 100


class Admission:
    """Counts connections against a limit; `surplus` are those that were not even told."""

    def __init__(self, max_connections: int) -> None:
        self.max_connections = max_connections
        self.connections = 0
        self.surplus = 0
        self._told = 0

    @property
    def is_swamped(self) -> bool:
        """Tell whether there is no room even for telling callers that there is none."""
        return self._told > TOLD_TOO_MANY

    @property
    def has_room(self) -> bool:
        """Tell whether another connection would be within the limit."""
        return self.connections - self._told < self.max_connections

    def admit(self) -> GatewayError | None:
        """Count a connection in; return why it must be turned away."""
        has_room = self.has_room
        self.connections += 1
        if has_room:
            return None
        self._told += 1
        self.surplus += self.is_swamped
        return Overloaded("too many connections (limits.max_connections)")

    def leave(self, *, was_told: bool = False) -> None:
        """Count a connection out that was admitted, or that `was_told`."""
        self.connections -= 1
        self._told -= was_told

"""How long to wait before a worker that ended is started anew.

One that ends after a long life is replaced almost at once. One that ends again and again
would only heat the machine, so each wait is twice the one before, up to half a minute.

Rule: clock-free; how long a worker lived is handed in, in seconds.
"""

from __future__ import annotations

_FIRST_S = 0.25
_LONGEST_S = 30.0
# Who lives for longer than the longest wait did not fail at its start.
_LONG_LIFE_S = 60.0


class Backoff:
    """The waits of one place in the crew."""

    def __init__(self) -> None:
        self._next_s = _FIRST_S

    def wait_s(self, lived_s: float) -> float:
        """Return how long to wait now; 0.0 as the life of one that never was ready."""
        if lived_s >= _LONG_LIFE_S:
            self._next_s = _FIRST_S
        wait_s, self._next_s = self._next_s, min(self._next_s * 2, _LONGEST_S)
        return wait_s

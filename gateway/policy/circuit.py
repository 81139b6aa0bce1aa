"""The circuit of one origin: whether connecting is worth a try.

After some connects in a row have failed, the origin is taken for unreachable and no
request waits for another timeout. One is let through as a probe each time the pause is
over; the pause grows from one second to five.

Rule 1: only connecting counts. An origin that answers 500 is reachable.
Rule 2: whatever becomes of a probe, another one goes when its pause is over.
"""

from __future__ import annotations

# One failure can be a lost packet, and two a restart of a load balancer.
THRESHOLD = 5
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 5.0


class Circuit:
    """Closed while fewer than `threshold` connects in a row have failed."""

    __slots__ = ("_failures", "_pause_s", "_probe_at", "_threshold")

    def __init__(self, threshold: int = THRESHOLD) -> None:
        self._threshold = threshold
        self._failures = 0
        self._pause_s = _FIRST_PAUSE_S
        self._probe_at = 0.0

    @property
    def is_open(self) -> bool:
        """Tell whether the origin is taken for unreachable."""
        return self._failures >= self._threshold

    def refusal(self, now: float) -> float | None:
        """Return when to try again (monotonic seconds), or None for a connect that may be tried.

        While the circuit is open, that connect is the probe.
        """
        if not self.is_open:
            return None
        if now < self._probe_at:
            return self._probe_at
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)
        self._probe_at = now + self._pause_s
        return None

    def fail(self, now: float) -> None:
        """Count a connect that failed."""
        if self.is_open:
            # A probe, or one that began before: the next probe is due already.
            return
        self._failures += 1
        if self.is_open:
            self._pause_s = _FIRST_PAUSE_S
            self._probe_at = now + self._pause_s

    def succeed(self) -> None:
        """Close the circuit: a connect succeeded."""
        self._failures = 0

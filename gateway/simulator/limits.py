"""A limit that turns away: so many calls a rolling window, then a penalty.

Documented by the vendor for its rate groups and the token endpoint: once over the limit, a
penalty begins, and every further request within the penalty begins it anew. Where no
penalty is documented (RingCX), the wait ends when the oldest call leaves the window, and a
call that was turned away counts for nothing.

Seconds are real ones, already shortened; the clock is an argument.
"""

from collections import deque


class Limit:
    """One counter, of one application or of one endpoint."""

    def __init__(self, count: int, window_s: float, penalty_s: float = 0.0) -> None:
        """Start with nothing spent."""
        self.count = count
        self.window_s = window_s
        self.punishes = penalty_s > 0
        self._penalty_s = penalty_s
        self._calls: deque[float] = deque()
        self._shut_until = float("-inf")

    def spend(self, now: float) -> float:
        """Count one call; return 0, or the seconds to wait when it is turned away."""
        self._forget(now)
        if not self.is_shut(now) and len(self._calls) < self.count:
            self._calls.append(now)
            return 0.0
        if not self.punishes:
            return self._calls[0] + self.window_s - now
        self._shut_until = now + self._penalty_s
        return self._penalty_s

    def is_shut(self, now: float) -> bool:
        """Tell whether a penalty goes on."""
        return now < self._shut_until

    def left(self, now: float) -> int:
        """Tell how many more calls the window takes."""
        self._forget(now)
        return 0 if self.is_shut(now) else self.count - len(self._calls)

    def _forget(self, now: float) -> None:
        while self._calls and self._calls[0] <= now - self.window_s:
            self._calls.popleft()

"""The `X-Rate-Limit-*` headers: one rolling window for each rate group.

The numbers are those the vendor documents as defaults, a minute's worth for one user of
one application; this simulator has one of each. `Remaining` goes down to nought and stays
there: counting is all this module does, it turns nobody away. The clock is an argument,
monotonic seconds; the pace shortens the window. A group without a limit (NoThrottling)
has no headers. The token endpoint, which turns away, has a `limits.Limit` instead.
"""

from collections import deque

from gateway.simulator.pace import Pace

WINDOW_S = 60
LIMITS = {"Light": 50, "Medium": 40, "Heavy": 10, "Auth": 5}


class Windows:
    """What was spent in each group during the last window."""

    def __init__(self, pace: Pace) -> None:
        """Start with nothing spent."""
        self._window_s = pace.shorten(WINDOW_S)
        self._written = str(pace.write_life(self._window_s))
        # More hits than the limit change nothing: the latest `limit` of them decide.
        self._hits = {group: deque[float](maxlen=limit) for group, limit in LIMITS.items()}

    def spend(self, group: str | None, now: float) -> dict[str, str]:
        """Count one request and render the headers that its answer carries."""
        hits = self._hits.get(group or "")
        if group is None or hits is None:
            return {}
        while hits and hits[0] <= now - self._window_s:
            hits.popleft()
        hits.append(now)
        return {
            "X-Rate-Limit-Group": group.lower(),
            "X-Rate-Limit-Limit": str(LIMITS[group]),
            "X-Rate-Limit-Remaining": str(LIMITS[group] - len(hits)),
            "X-Rate-Limit-Window": self._written,
        }

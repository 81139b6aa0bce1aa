"""How often a token that upstream refused may be given up for another one.

A refused token is renewed by a token call, of which the vendor allows few. So they are
counted; and a place that refuses a token which was obtained a moment ago speaks of
something else, a permission say, in the words for tokens. Another token does not mend that.

Rule 1: such a place causes no renewal for a window.
Rule 2: while one is known, only one more token is given up, for another place: there may be
        more of its kind than calls in a window, and a token may really die.
Rule 3: clock-free: times are handed in, event-loop seconds.
"""

from __future__ import annotations

import math
from collections import deque

from gateway.credentials.failures import Outcome
from gateway.credentials.setbacks import Setback

# The renewal that told that it was in vain, and one for a token that died.
_BESIDE_UNJUST = 2
# Places are paths of callers: a few are worth their memory, the latest ones.
_MOST_PLACES = 32


class Reissues:
    """Allows at most `limit` renewals of refused tokens in any `window_s`."""

    def __init__(self, limit: int, window_s: float) -> None:
        self._limit = limit
        self._window_s = window_s
        self._past: deque[float] = deque(maxlen=limit)
        # When each place refused a fresh token, the latest last.
        self._unjust: dict[bytes, float] = {}

    def acquit(self, place: bytes, now: float) -> None:
        """Take note that a place refused a token that was obtained a moment ago."""
        self._unjust.pop(place, None)
        self._unjust[place] = now
        if len(self._unjust) > _MOST_PLACES:
            del self._unjust[next(iter(self._unjust))]

    def is_unjust(self, place: bytes, now: float) -> bool:
        """Tell whether what the place refuses is not to be given up for it."""
        return self._unjust.get(place, -math.inf) > now - self._window_s

    def spend(self, now: float) -> Setback | None:
        """Count a renewal that may be made, or return what forbids it."""
        latest = next(reversed(self._unjust.values()), -math.inf)
        is_beside = latest > now - self._window_s
        limit = min(self._limit, _BESIDE_UNJUST) if is_beside else self._limit
        if len(self._past) >= limit and self._past[-limit] > now - self._window_s:
            reason = f"a refused token is not renewed more than {limit}"
            return Setback(
                Outcome.BUDGET,
                f"{reason} times within {self._window_s:g} s",
                self._past[-limit] + self._window_s,
            )
        self._past.append(now)
        return None

"""How strict the simulator is about rates, and what it turned away.

The numbers are those the vendor documents as defaults, a minute's worth for one user of
one application, with a minute of penalty. `enforced` says whether a request over a limit is
turned away or only counted; the token endpoints turn away always. Refusals are counted by
group: how many, how many of them arrived within a penalty, and how many began one.

One object of it is shared by all who have limits, and by the control desk.
"""

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from gateway.simulator.limits import Limit
from gateway.simulator.pace import Pace

WINDOW_S = 60
PENALTY_S = 60
LIMITS = MappingProxyType({"Light": 50, "Medium": 40, "Heavy": 10, "Auth": 5})


class Rates:
    """The regime of one simulator."""

    def __init__(
        self, pace: Pace, *, enforced: bool = False, limits: Mapping[str, int] | None = None
    ) -> None:
        """Count by the documented numbers, of which `limits` replaces some. Raises ValueError."""
        self.pace = pace
        self.enforced = enforced
        self.limits = {**LIMITS, **(limits or {})}
        self.told = True
        self.refused: Counter[str] = Counter()
        self.in_penalty = 0
        self.penalties = 0
        if min(self.limits.values()) < 1:
            raise ValueError(f"a rate limit is at least 1, not {min(self.limits.values())}")

    def make_limit(self, group: str) -> Limit:
        """Make the counter of a rate group. Raises KeyError for a group without a limit."""
        penalty_s = self.pace.shorten(PENALTY_S) if self.enforced else 0.0
        return Limit(self.limits[group], self.pace.shorten(WINDOW_S), penalty_s)

    def charge(self, group: str, limit: Limit, now: float, *, always: bool = False) -> float:
        """Spend one call; return 0, or the seconds to wait, and count the refusal.

        `always` is for limits that turn away without being enforced.
        """
        was_shut = limit.is_shut(now)
        wait_s = limit.spend(now)
        if not self.enforced and not always:
            return 0.0
        if wait_s:
            self.refused[group] += 1
            self.in_penalty += was_shut
            self.penalties += limit.punishes and not was_shut
        return wait_s

    def describe(self, group: str, limit: Limit, now: float) -> dict[str, str]:
        """Write the `X-Rate-Limit-*` headers; none when they are to be kept back."""
        if not self.told:
            return {}
        return {
            "X-Rate-Limit-Group": group,
            "X-Rate-Limit-Limit": str(limit.count),
            "X-Rate-Limit-Remaining": str(limit.left(now)),
            "X-Rate-Limit-Window": str(self.pace.write_life(limit.window_s)),
        }

    def forget(self) -> None:
        """Forget the counts, and tell the headers again; what was spent stays spent."""
        self.told = True
        self.refused.clear()
        self.in_penalty = self.penalties = 0

    def report(self) -> dict[str, object]:
        """Write the counts down."""
        return {
            "requests_refused": dict(self.refused),
            "requests_in_penalty": self.in_penalty,
            "penalties_begun": self.penalties,
        }

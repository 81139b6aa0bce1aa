"""What the platform's rate groups let through: a limit for each application and group.

Documented by the vendor: the bucket belongs to one user, one application and one group,
all operations of a group share it, a refusal is 429 CMN-301 with `Retry-After` and nothing
remaining, and every request within the penalty begins it anew. This simulator has one user.
Unless rates are enforced, `Remaining` goes down to nought and nobody is turned away. A
group without a limit (NoThrottling) has no headers.
"""

from typing import NamedTuple

from gateway.simulator.limits import Limit
from gateway.simulator.rates import Rates


class Spent(NamedTuple):
    """The headers that an answer carries, and the seconds to wait when it is a refusal."""

    headers: dict[str, str]
    wait_s: float


class Windows:
    """The buckets of the one user."""

    def __init__(self, rates: Rates) -> None:
        """Start with nothing spent."""
        self._rates = rates
        self._limits: dict[tuple[str, str], Limit] = {}

    def spend(self, app: str, group: str | None, now: float) -> Spent:
        """Count one request of an application; `now` is monotonic seconds."""
        if group is None or group not in self._rates.limits:
            return Spent({}, 0.0)
        limit = self._limits.setdefault((app, group), self._rates.make_limit(group))
        shown = group.lower()
        wait_s = self._rates.charge(shown, limit, now)
        return Spent(self._rates.describe(shown, limit, now), wait_s)

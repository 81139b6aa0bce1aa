"""When a token call may be tried again after it failed.

The vendor's table: a 400 is never repeated; 429 and 503 are repeated after their
Retry-After; 408, 500 and silence three times, ten seconds apart. What still fails then is
tried once a window, so that a gateway recovers by itself and stays inside the budget.

Rule 1: clock-free: times are handed in, event-loop seconds.
Rule 2: one setback is remembered, the latest; a success forgets it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from gateway.credentials.failures import Outcome, TokenCallFailed
from gateway.errors import CredentialUnavailable

_QUICK_RETRIES = 3
# Until somebody changes a secret, which nobody knows the time of.
_NEVER_RETRY_AFTER_S = 60


@dataclass(frozen=True, slots=True)
class Setback:
    """A failure, and when the next attempt is allowed; `retry_at` is infinite for never."""

    outcome: Outcome
    reason: str
    retry_at: float


class Setbacks:
    """Remembers how often token calls failed in a row; `retry_s` and `window_s` are seconds.

    `final` tells that what is rejected stays so until the configured secrets change.
    """

    def __init__(self, retry_s: float, window_s: float, *, final: bool = True) -> None:
        self._final = final
        self._retry_s = retry_s
        self._window_s = window_s
        self._failures = 0
        self.latest: Setback | None = None

    def note(self, failure: TokenCallFailed, now: float) -> Setback:
        """Remember a failure; return when to try again."""
        self._failures += 1
        self.latest = Setback(failure.outcome, failure.reason, now + self._wait_s(failure))
        return self.latest

    def forget(self) -> None:
        """Take note of a success."""
        self._failures = 0
        self.latest = None

    def hold_off(self, now: float) -> Setback | None:
        """Return the setback that forbids an attempt now."""
        latest = self.latest
        return latest if latest is not None and now < latest.retry_at else None

    def _wait_s(self, failure: TokenCallFailed) -> float:
        if failure.outcome is Outcome.REJECTED:
            return math.inf if self._final else self._window_s
        if failure.retry_after_s is not None:
            return failure.retry_after_s
        if failure.outcome is Outcome.THROTTLED:
            return self._window_s
        return self._retry_s if self._failures <= _QUICK_RETRIES else self._window_s


def unavailable(credential: str, setback: Setback, now: float) -> CredentialUnavailable:
    """Return what to say to a request while a setback holds token calls off."""
    wait_s = setback.retry_at - now
    retry_after_s = math.ceil(wait_s) if math.isfinite(wait_s) else _NEVER_RETRY_AFTER_S
    return CredentialUnavailable(
        f"there is no token for credential {credential}: {setback.reason}",
        retry_after_s=max(retry_after_s, 1),
    )

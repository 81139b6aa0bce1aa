"""One rate group of one credential, as its answers tell it: what remains, and what is shut.

The vendor counts a request when it gets it and says in the answer what remained then.
Requests overlap, so answers are old news: what may still be sent is what remained
according to the newest of them, less what is in flight. Of two answers whose order at
the vendor cannot be known, the smaller number is believed.

Rule 1: nothing is known that no answer said; a group has no limit until it is told.
Rule 2: what was spent is given back by `forget` exactly once, whatever became of it.
Rule 3: `now` is monotonic seconds and never goes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.policy.rate_fields import RateFields

# The vendor: without a Retry-After, come back after 30 seconds or later.
PENALTY_S = 30.0
# How long a store is believed that has no room, before one request asks again for all. No caller
# is told to come back sooner, and one question in a second is no load.
ASK_AGAIN_S = 1.0


class Reason(StrEnum):
    """Why a door is shut; the label of `rcgw_rate_limited_total`."""

    PENALTY = "penalty"  # a 429 that names this group
    EXHAUSTED = "exhausted"  # nothing remains, or all that does is in flight
    ACCOUNT = "account"  # a 429 of another kind: the account's or the address's limit
    WINDOW = "window"  # a 429 of a service that has documented windows and no fields


@dataclass(frozen=True, slots=True)
class Shut:
    """A door that is shut until a moment, monotonic seconds."""

    reason: Reason
    until: float


class Bucket:
    """One (credential, group). Requests have numbers that rise with each one sent."""

    __slots__ = (
        *("_ask_at", "_expires_at", "_full", "_in_flight"),
        *("_remaining", "_remaining_at", "_shut"),
        *("limit", "window_s"),
    )

    def __init__(self) -> None:
        self.limit: int | None = None
        self.window_s: float | None = None
        self._remaining: int | None = None
        self._remaining_at = 0
        self._expires_at = 0.0
        self._in_flight = 0
        self._shut: Shut | None = None
        # What a shared store has said of its count, and when it is to be asked again.
        self._full: Shut | None = None
        self._ask_at = 0.0

    @property
    def is_blank(self) -> bool:
        """Tell whether forgetting this bucket would lose nothing."""
        is_open = self._shut is None and self._full is None
        return is_open and not (self._in_flight or self.limit or self._remaining is not None)

    def refusal(self, now: float) -> Shut | None:
        """Return why a request may not be sent now, and until when; None when it may."""
        if self._shut is not None and now < self._shut.until:
            return self._shut
        if self._full is not None:
            if now >= self._full.until:
                self._full = None
            elif now < self._ask_at:
                return self._full
        if now >= self._expires_at:
            self._roll()
        if self._remaining is None or self._remaining > self._in_flight:
            return None
        if now < self._expires_at:
            return Shut(Reason.EXHAUSTED, self._expires_at)
        # The whole limit is in flight: an answer now would open the door a window from now.
        return Shut(Reason.EXHAUSTED, now + (self.window_s or PENALTY_S))

    def take(self, now: float) -> bool:
        """Spend where an answer told that there is room and until when; tell whether it was.

        Elsewhere `refusal` and `spend` say what is to be done.
        """
        left, shut = self._remaining, self._shut
        if left is None or left <= self._in_flight or now >= self._expires_at:
            return False
        if self._full is not None or (shut is not None and now < shut.until):
            return False
        self._in_flight += 1
        return True

    def spend(self, now: float) -> None:
        """Count a request as in flight."""
        self._in_flight += 1
        # Who comes while this one asks is not to ask as well.
        self._ask_at = now + ASK_AGAIN_S

    def fill(self, until: float, now: float) -> None:
        """Take in that a shared store has no room until a moment; one that is past: that it has.

        The last word counts: what others take back may leave room before.
        """
        self._full = Shut(Reason.EXHAUSTED, until) if until > now else None
        self._ask_at = now + ASK_AGAIN_S

    def forget(self) -> None:
        """Count a request as no longer in flight: answered, failed or never sent."""
        self._in_flight -= 1

    def note(
        self, number: int, latest: int, answer: RateFields | None, now: float, over: int = 0
    ) -> None:
        """Learn from the answer to a request, None for one that said nothing or never came.

        `number` is that request's, `latest` that of the last one sent before this answer; `over` is
        1 to `forget` it as well.
        """
        self._in_flight -= over
        if now >= self._expires_at:
            self._roll()
        said = None
        if answer is not None:
            said = answer.remaining
            if answer.limit:
                self.limit = answer.limit
            if answer.window_s:
                self.window_s = answer.window_s
        known = self._remaining
        if said is not None:
            if known is None or number > self._remaining_at or said < known:
                self._remaining, self._remaining_at = said, latest
        elif known is not None:
            # The vendor counted it, and did not say so.
            self._remaining = known - 1
        # By then the vendor no longer counts anything that it has answered so far.
        self._expires_at = now + (self.window_s or 0.0)

    def judge(
        self, status: int, answer: RateFields | None, retry_after_s: float | None, now: float
    ) -> Shut | None:
        """Shut the door after a 429, or when nothing remains: for a window, or Retry-After."""
        is_empty = answer is not None and answer.remaining == 0
        if status != 429 and not is_empty:
            return None
        reason = Reason.PENALTY if status == 429 else Reason.EXHAUSTED
        return self.close(reason, now + max(self.window_s or PENALTY_S, retry_after_s or 0.0))

    def close(self, reason: Reason, until: float) -> Shut:
        """Keep the door shut until a moment; one that is shut for longer stays so."""
        if self._shut is None or self._shut.until < until:
            self._shut = Shut(reason, until)
        return self._shut

    def room(self, now: float) -> int:
        """Return how many waiting requests may go now; one at a time while no limit is known.

        One, too, to ask for all whether a shared store has room again.
        """
        if self.refusal(now) is not None:
            return 0
        if self._full is not None:
            return 1
        left = self._left(now)
        return max(0, 1 - self._in_flight) if left is None else left

    def remaining(self, now: float) -> int | None:
        """Return what may still be sent in this window, None while nothing is known."""
        return 0 if self.refusal(now) is not None else self._left(now)

    def _roll(self) -> None:
        """Begin a new window, the known one having ended."""
        if self._remaining is not None:
            self._remaining = self.limit

    def _left(self, now: float) -> int | None:
        if now >= self._expires_at:
            self._roll()
        return None if self._remaining is None else self._remaining - self._in_flight

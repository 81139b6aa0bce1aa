"""The rate shield: no request during a penalty, and no more than the vendor lets through.

A request during the vendor's penalty window begins it anew, so that a caller who does
not wait stays shut out. Here each (credential, group) has a bucket that learns from every
answer; a 429 without `X-Rate-Limit-*` is a limit of the account or of our address, and
shuts the whole upstream for that credential.

Rule 1: `spend` before each attempt; then `learn` from its answer, or `release` without one.
Rule 2: what is refused is not spent: the vendor never sees it.
Rule 3: numbers come from answers; the clock is an argument, monotonic seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.errors import RateShield
from gateway.policy.rate_buckets import PENALTY_S, Bucket, Reason, Shut
from gateway.policy.rate_fields import RateFields
from gateway.policy.rate_groups import RateGroups, RateKey, charged_key
from gateway.policy.rate_windows import Tally
from gateway.policy.recent import Recent

# A few hundred bytes each; with more credentials than this at once, the idle are learned anew.
_MOST_BUCKETS = 4096

_TEXTS = {
    Reason.PENALTY: "the vendor answered 429, and a request now would prolong its penalty",
    Reason.EXHAUSTED: "nothing remains in the vendor's window",
    Reason.ACCOUNT: "the vendor answered 429 for the account or the address",
    Reason.WINDOW: "the vendor answered 429, and its documented windows are not over",
}


class RateMode(StrEnum):
    """What is done about the vendor's limits."""

    OFF = "off"
    OBSERVE = "observe"
    SHIELD = "shield"
    QUEUE = "queue"


# Before Python 3.12, looking a member up in its class costs as much as a call.
_OFF, _OBSERVE, *_ = RateMode


@dataclass(frozen=True, slots=True)
class Budget:
    """What a store shared by several gateways must check: `limit` in `window_s`, under `name`."""

    name: str
    limit: int
    window_s: float


@dataclass(slots=True)
class Spent:
    """One request that was let through; `number` orders it among the others.

    `was_told` tells that answers had said before that there was room.
    Not frozen, because making a frozen one costs three times as much, for each request.
    """

    key: RateKey
    number: int
    bucket: Bucket | Tally | None = field(default=None, repr=False, compare=False)
    was_told: bool = field(default=False, repr=False, compare=False)


class _Sent:
    """The number of the last request that was let through."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 0


class Rates:
    """The buckets of this process."""

    __slots__ = ("_buckets", "_doors", "_sent", "groups", "key_of", "mode")

    def __init__(self, mode: RateMode, secret: bytes) -> None:
        """`secret` keys the hash of callers' tokens (`RateGroups`)."""
        self.mode = mode
        self.groups = RateGroups(secret)
        # Returns what a permitted request is charged to.
        self.key_of = self.groups.key_of
        self._buckets: Recent[tuple[str, str], Bucket | Tally] = Recent(_MOST_BUCKETS)
        self._doors: Recent[tuple[str, str], Shut] = Recent(_MOST_BUCKETS)
        self._sent = _Sent()

    def in_mode(self, mode: RateMode) -> Rates:
        """Return the same buckets under another mode.

        What was spent under one mode is settled under that one.
        """
        other = Rates.__new__(Rates)
        other.mode = mode
        other.groups, other.key_of = self.groups, self.key_of
        other._buckets = self._buckets
        other._doors, other._sent = self._doors, self._sent
        return other

    def spend(self, key: RateKey, now: float) -> Spent:
        """Let one attempt through and count it, or raise `RateShield` with when to come back."""
        outcome = self.spend_or_tell(key, now)
        if isinstance(outcome, Shut):
            raise shield_of(key, outcome, now)
        return outcome

    def spend_if_told(self, key: RateKey, now: float) -> Spent | None:
        """Let one attempt through and count it where answers told that it may pass, else nothing.

        What `spend_or_tell` would let through as well, and need not ask about.
        """
        door, bucket = self._doors.get(key.door), self._buckets.get(key.bucket)
        if self.mode is _OFF or (door is not None and now < door.until):
            return None
        if bucket is None or not bucket.take(now):
            return None
        sent = self._sent
        sent.number += 1
        return Spent(key, sent.number, bucket, True)

    def spend_or_tell(self, key: RateKey, now: float) -> Spent | Shut:
        """Let one attempt through and count it, or return the door that is shut."""
        if self.mode is _OFF:
            return Spent(key, 0)
        bucket = self._buckets.get(key.bucket)
        shut = None if self.mode is _OBSERVE else self._refusal(key, bucket, now)
        if shut is not None:
            return shut
        self._sent.number += 1
        if bucket is None:
            bucket = self._bucket(key)
        if bucket is not None:
            bucket.spend(now)
        return Spent(key, self._sent.number, bucket)

    def learn_room(self, spent: Spent, status: int, answer: RateFields | None, now: float) -> bool:
        """Take in an answer if all it tells is what remains of what was told; tell whether it is.

        What `learn` would take in as well, having looked for all that it may be besides.
        """
        bucket = spent.bucket
        if bucket is None or answer is None or not spent.was_told or not answer.remaining:
            return False
        if status == 429 or answer.group != spent.key.group:
            return False
        bucket.note(spent.number, self._sent.number, answer, now, 1)
        return True

    def learn(
        self,
        spent: Spent,
        status: int,
        answer: RateFields | None,
        retry_after_s: float | None,
        now: float,
    ) -> Shut | None:
        """Take in an answer; return the door that it shut, if it did.

        `answer` and `retry_after_s` are what `read_rate_fields` and `parse_retry_after` read of it.
        """
        if self.mode is _OFF:
            return None
        bucket = spent.bucket
        if bucket is not None:
            bucket.forget()
        key = charged_key(spent.key, "" if answer is None else answer.group)
        if key is not spent.key:
            self.groups.learn(key, key.group)
            bucket = self._bucket(key)
        if bucket is not None:
            bucket.note(spent.number, self._sent.number, answer, now)
        shut: Shut | None = None
        if status == 429 and not key.windows and (bucket is None or answer is None):
            wait_s = PENALTY_S if retry_after_s is None else retry_after_s
            shut = self._close_door(key, now + wait_s)
        elif bucket is not None and (
            status == 429 or not answer or not answer.remaining or key.windows
        ):
            shut = bucket.judge(status, answer, retry_after_s, now)
        if bucket is None or bucket is not spent.bucket or not bucket.limit:
            self._tidy(spent)
        return shut

    def release(self, spent: Spent, now: float, *, sent: bool) -> None:
        """Take in that an attempt has no answer; `sent` tells whether a byte left."""
        bucket = spent.bucket
        if bucket is None:
            return
        bucket.forget()
        if sent:
            bucket.note(spent.number, self._sent.number, None, now)
        self._tidy(spent)

    def refusal(self, key: RateKey, now: float) -> Shut | None:
        """Return why a request may not be sent now, and until when; None when it may."""
        return self._refusal(key, self._buckets.get(key.bucket), now)

    def is_told(self, key: RateKey) -> bool:
        """Tell whether an answer told the limit of a key's bucket."""
        bucket = self._buckets.get(key.bucket)
        return bucket is not None and bucket.limit is not None

    def budget(self, key: RateKey) -> Budget | None:
        """Return what a shared store must check of a key, None while no limit is learned."""
        bucket = self._buckets.get(key.bucket)
        if bucket is None or bucket.limit is None or bucket.window_s is None:
            return None
        return Budget("/".join(key.bucket), bucket.limit, bucket.window_s)

    def room(self, key: RateKey, now: float) -> int:
        """Return how many waiting requests may go now (`rate_queue`).

        Ask again at the `retry_at` of a refusal, and whenever an answer comes.
        """
        if self.refusal(key, now) is not None:
            return 0
        bucket = self._buckets.get(key.bucket)
        return 1 if bucket is None else bucket.room(now)

    def close(self, key: RateKey, shut: Shut) -> None:
        """Shut the door of a key because a shared store says that it is."""
        bucket = self._bucket(key)
        if bucket is None or shut.reason is Reason.ACCOUNT:
            self._close_door(key, shut.until)
        else:
            bucket.close(shut.reason, shut.until)

    def fill(self, key: RateKey, until: float, now: float) -> None:
        """Take in until when a shared store has no room for a key (`Bucket.fill`)."""
        bucket = self._bucket(key)
        if isinstance(bucket, Bucket):
            bucket.fill(until, now)

    def remaining(self, now: float) -> Iterator[tuple[str, int]]:
        """Yield each group with the least that remains of it for any credential."""
        least: dict[str, int] = {}
        for (_, group), bucket in self._buckets.items():
            # What parts a family further is no label.
            name, left = group.partition("/")[0], bucket.remaining(now)
            if left is not None:
                least[name] = max(0, min(left, least.get(name, left)))
        yield from least.items()

    def __len__(self) -> int:
        return len(self._buckets)

    def _refusal(self, key: RateKey, bucket: Bucket | Tally | None, now: float) -> Shut | None:
        shut = bucket.refusal(now) if bucket is not None else None
        door = self._doors.get(key.door)
        if door is None or now >= door.until:
            return shut
        return door if shut is None or shut.until <= door.until else shut

    def _close_door(self, key: RateKey, until: float) -> Shut:
        door = self._doors.get(key.door)
        if door is None or door.until < until:
            door = Shut(Reason.ACCOUNT, until)
            self._doors.put(key.door, door)
        return door

    def _bucket(self, key: RateKey) -> Bucket | Tally | None:
        """Return the bucket of a key, made when it is not there; None without a group."""
        if not key.group:
            return None
        bucket = self._buckets.get(key.bucket)
        if bucket is None:
            bucket = Tally(key.windows) if key.windows else Bucket()
            self._buckets.put(key.bucket, bucket)
        return bucket

    def _tidy(self, spent: Spent) -> None:
        """Forget a bucket that nothing was learned for: a made-up token is not kept."""
        bucket, place = spent.bucket, spent.key.bucket
        if bucket is not None and bucket.is_blank and self._buckets.get(place) is bucket:
            self._buckets.drop(place)


def shield_of(key: RateKey, shut: Shut, now: float) -> RateShield:
    """Return what to say to a request that meets a shut door."""
    # A microsecond is the clock's rounding, and would cost the caller a whole second.
    wait_s = max(1, math.ceil(round(shut.until - now, 6)))
    of_group = f" (group {key.group})" if key.group else ""
    return RateShield(
        f"Request rate exceeded: {_TEXTS[shut.reason]}{of_group}; come back in {wait_s} s",
        reason=shut.reason.value,
        retry_at=shut.until,
        retry_after_s=wait_s,
    )

"""May a failed attempt be repeated, and when.

An idle pooled connection can be closed by upstream at the moment we write to it; that
says nothing of the request, and RFC 9112 section 9.3.1 lets an idempotent one be repeated.
A connect that failed sent nothing, and is tried again after a short pause: who refuses now
refuses at once again. An upstream's own 503 with a short Retry-After says when; so does a
429, for which requests may be held when `rates.mode` is "queue".

Rule 1: the effective method decides; a tunnelled PUT is as idempotent as a PUT.
Rule 2: what is not idempotent, and has left, is sent again only after an answer that says
        it was not handled.
Rule 3: a request is repeated once, and only within its deadline.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

MOST_ATTEMPTS = 2
# Longer than that, and the caller's own retry is the better one.
LONGEST_WAIT_S = 2.0
# The caller does not notice it; a listener that is replaced is back within it, and what many
# requests met at once is not met again at once. Up to twice as long, by chance.
CONNECT_PAUSE_S = 0.05
# The vendor asks for two seconds before the first repetition after a 502 or 504.
_PAUSE_S = 2.0
_NOT_HANDLED = frozenset({429, 503})


class Failure(Enum):
    """How an attempt failed."""

    CONNECT = auto()  # no connection, so that nothing was sent
    BROKEN = auto()  # the connection ended, or what came was not HTTP
    TIMEOUT = auto()  # no answer in time
    STATUS = auto()  # an answer that may be a reason to ask again


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that failed; `number` counts from 1, `remaining_s` is left to the deadline.

    `sent`: a byte left. `body_held`: the body can be sent again from its beginning.
    `status` and `retry_after_s` are those of a `Failure.STATUS`.
    """

    number: int
    failure: Failure
    remaining_s: float
    connection_reused: bool = False
    sent: bool = True
    reply_started: bool = False
    body_held: bool = True
    status: int = 0
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class RetryRules:
    """`on_status`: answers for which an idempotent request is repeated (`retries.on_status`).

    `queue_wait_s`: how long any request may be held after a 429 or 503; None unless
    `rates.mode` is "queue".
    """

    on_status: frozenset[int] = frozenset({503})
    queue_wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to try again, after how many seconds, and a label that says why or why not."""

    retry: bool
    wait_s: float
    reason: str


class RetryBudget:
    """One repetition for ten requests, so that retries never multiply an outage.

    A small floor, refilled by time, lets a quiet gateway repeat. Counted in tenths, which
    add up without rounding: a request earns one, a repetition costs ten.
    """

    __slots__ = ("_at", "_tenths", "earned")

    _COST = 10.0
    # What a burst may repeat after a long time without failures: twenty.
    _MOST = 200.0
    # Three at once, and then one in ten seconds, whatever the traffic.
    _FLOOR = 30.0
    _FLOOR_PER_S = 1.0

    def __init__(self, now: float) -> None:
        """Begin at the floor; `now` is monotonic seconds."""
        self._tenths = self._FLOOR
        self._at = now
        # Requests since the last repetition, counted by whoever makes them; no repetitions.
        self.earned = 0

    def take(self, now: float) -> bool:
        """Spend one repetition, if there is one to spend."""
        tenths, self.earned = min(self._tenths + self.earned, self._MOST), 0
        grown = tenths + (now - self._at) * self._FLOOR_PER_S
        self._tenths = max(tenths, min(grown, self._FLOOR))
        self._at = now
        if self._tenths < self._COST:
            return False
        self._tenths -= self._COST
        return True


def judge_attempt(
    attempt: Attempt,
    rules: RetryRules,
    budget: RetryBudget,
    now: float,
    *,
    idempotent: bool,
    jitter: float = 0.0,
) -> Verdict:
    """Tell whether an attempt is repeated; what is, is taken from the budget.

    `jitter`, from 0 to 1, is drawn by the caller: requests that fail together come back apart.
    """
    verdict = _judge(attempt, rules, idempotent=idempotent, jitter=jitter)
    if not verdict.retry:
        return verdict
    if attempt.number >= MOST_ATTEMPTS:
        return _refuse("attempts")
    if verdict.wait_s >= attempt.remaining_s:
        return _refuse("deadline")
    return verdict if budget.take(now) else _refuse("budget")


def _judge(attempt: Attempt, rules: RetryRules, *, idempotent: bool, jitter: float) -> Verdict:
    """Judge by what happened alone."""
    if attempt.failure is Failure.STATUS:
        return _judge_status(attempt, rules, idempotent=idempotent)
    if attempt.reply_started:
        return _refuse("reply-started")
    if attempt.failure is Failure.CONNECT:
        return Verdict(True, CONNECT_PAUSE_S * (1 + jitter), "connect")
    if not attempt.sent:
        return _refuse_unsafe(attempt, idempotent=True) or Verdict(True, 0.0, "unsent")
    if attempt.failure is Failure.TIMEOUT:
        return _refuse("timeout")
    if not attempt.connection_reused:
        return _refuse("broken")
    return _refuse_unsafe(attempt, idempotent=idempotent) or Verdict(True, 0.0, "stale")


def longest_wait_s(status: int, rules: RetryRules) -> float:
    """Return the longest Retry-After, in seconds, that is waited for after an answer."""
    if status in _NOT_HANDLED and rules.queue_wait_s is not None:
        return rules.queue_wait_s
    return LONGEST_WAIT_S


def _judge_status(attempt: Attempt, rules: RetryRules, *, idempotent: bool) -> Verdict:
    status, wait_s = attempt.status, attempt.retry_after_s
    if status in _NOT_HANDLED and rules.queue_wait_s is not None:
        # The answer says that nothing was done, so any method may be sent again.
        idempotent = True
    elif status not in rules.on_status:
        return _refuse(f"status-{status}")
    if wait_s is None and status not in _NOT_HANDLED:
        wait_s = _PAUSE_S
    if wait_s is None or wait_s > longest_wait_s(status, rules):
        return _refuse("retry-after")
    again = Verdict(True, wait_s, f"status-{status}")
    return _refuse_unsafe(attempt, idempotent=idempotent) or again


def _refuse_unsafe(attempt: Attempt, *, idempotent: bool) -> Verdict | None:
    """Refuse what could be done twice, or cannot be sent again."""
    if not idempotent:
        return _refuse("method")
    return None if attempt.body_held else _refuse("body")


def _refuse(reason: str) -> Verdict:
    return Verdict(False, 0.0, reason)

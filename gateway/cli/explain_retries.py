"""After what a request would be sent a second time, in a line.

The answer of `policy.retries`, asked about each way in which an attempt can end.

Rule: nothing here decides: a verdict is asked for, with a budget that allows everything.
"""

from __future__ import annotations

from gateway.policy.forward import Plan
from gateway.policy.retries import (
    CONNECT_PAUSE_S,
    Attempt,
    Failure,
    RetryBudget,
    RetryRules,
    judge_attempt,
    longest_wait_s,
)

# Long enough for every wait that `policy.retries` makes.
_REMAINING_S = 3600.0
_PAUSE = f"{CONNECT_PAUSE_S * 1000:g} to {CONNECT_PAUSE_S * 2000:g} ms later"
# By the reason of a verdict, why there is nothing more.
_WHY_NOT = {
    "method": "what is not idempotent could be done twice",
    "body": "a body over limits.replay_body_bytes is not held",
}


def describe_retries(plan: Plan, rules: RetryRules, *, is_held: bool) -> str:
    """Return what is worth a second attempt; `is_held` tells that the body can be sent again."""
    ends = [
        (f"a failed connect ({_PAUSE})", _attempt(Failure.CONNECT, is_held, sent=False)),
        ("a stale connection", _attempt(Failure.BROKEN, is_held, connection_reused=True)),
    ]
    statuses = sorted({*rules.on_status, 429, 503})
    ends += [(_name(status, rules), _answered(status, is_held)) for status in statuses]
    reasons: list[str] = []
    why_not = ""
    for name, attempt in ends:
        verdict = judge_attempt(attempt, rules, RetryBudget(0.0), 0.0, idempotent=plan.idempotent)
        if verdict.retry:
            reasons.append(name)
        why_not = why_not or _WHY_NOT.get(verdict.reason, "")
    if plan.upstream.scheme.owned and is_held:
        reasons.append("a 401 of the token")
    only = f"; only then: {why_not}" if why_not else ""
    return f"once, after {', '.join(reasons)}{only}"


def _name(status: int, rules: RetryRules) -> str:
    return f"{status} with Retry-After up to {longest_wait_s(status, rules):g} s"


def _attempt(
    failure: Failure, is_held: bool, *, sent: bool = True, connection_reused: bool = False
) -> Attempt:
    return Attempt(
        1,
        failure,
        _REMAINING_S,
        sent=sent,
        connection_reused=connection_reused,
        body_held=is_held,
    )


def _answered(status: int, is_held: bool) -> Attempt:
    return Attempt(
        1, Failure.STATUS, _REMAINING_S, body_held=is_held, status=status, retry_after_s=1.0
    )

"""gateway/policy/retries.py."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.retries import (
    CONNECT_PAUSE_S,
    LONGEST_WAIT_S,
    Attempt,
    Failure,
    RetryBudget,
    RetryRules,
    Verdict,
    judge_attempt,
)
from tests.policy.world import plan_of, vectors_of

PATH = "/restapi/v1.0/account/~"
QUEUE = RetryRules(queue_wait_s=30.0)
RULES = {
    "default": RetryRules(),
    "none": RetryRules(frozenset()),
    "all": RetryRules(frozenset({502, 503, 504})),
    "queue": QUEUE,
}


def judge(attempt: Attempt, rules: RetryRules, *, idempotent: bool, jitter: float = 0.0) -> Verdict:
    budget = RetryBudget(0.0)
    return judge_attempt(attempt, rules, budget, 0.0, idempotent=idempotent, jitter=jitter)


@pytest.mark.parametrize(
    "case", vectors_of("policy_retries"), ids=lambda case: f"{case['what']}: {case['reason']}"
)
def test_each_way_to_fail_has_its_verdict(case: Mapping[str, Any]) -> None:
    attempt = Attempt(
        case.get("number", 1),
        Failure[case["failure"]],
        case.get("remaining_s", 50.0),
        **case.get("attempt", {}),
    )
    for method in case["methods"]:
        for rules in case.get("rules", RULES):
            verdict = judge(
                attempt,
                RULES[rules],
                idempotent=plan_of(method, PATH).idempotent,
                jitter=case.get("jitter", 0.0),
            )
            wait_s = case.get("wait_s", -1.0)
            assert verdict == Verdict(wait_s >= 0, max(wait_s, 0.0), case["reason"]), rules


@pytest.mark.parametrize(
    ("method", "override", "allowed"),
    [
        ("GET", "", True),
        ("HEAD", "", True),
        ("PUT", "", True),
        ("DELETE", "", True),
        ("OPTIONS", "", True),
        ("POST", "", False),
        ("PATCH", "", False),
        ("POST", "PUT", True),
        ("POST", "DELETE", True),
        ("POST", "PATCH", False),
    ],
)
def test_the_effective_method_decides(method: str, override: str, allowed: bool) -> None:
    plan = plan_of(method, PATH, f"X-HTTP-Method-Override: {override}" if override else "")
    attempt = Attempt(1, Failure.BROKEN, 50.0, connection_reused=True)
    assert judge(attempt, RetryRules(), idempotent=plan.idempotent).retry is allowed


ATTEMPTS = st.builds(
    Attempt,
    st.integers(1, 4),
    st.sampled_from(Failure),
    st.floats(-1, 60),
    connection_reused=st.booleans(),
    sent=st.booleans(),
    reply_started=st.booleans(),
    body_held=st.booleans(),
    status=st.sampled_from([200, 429, 500, 502, 503, 504]),
    retry_after_s=st.none() | st.sampled_from([0.0, 1.0, 2.0, 2.5, 30.0, 60.0]),
)


def test_a_connect_is_tried_again_later_the_more_chance_there_is() -> None:
    attempt = Attempt(1, Failure.CONNECT, 50.0, sent=False)
    waits_s = [
        judge(attempt, RetryRules(), idempotent=False, jitter=jitter / 10).wait_s
        for jitter in range(11)
    ]
    assert waits_s == sorted(set(waits_s))
    assert (waits_s[0], waits_s[-1]) == (CONNECT_PAUSE_S, 2 * CONNECT_PAUSE_S)


@given(ATTEMPTS, st.sampled_from([*RULES.values()]))
def test_what_is_not_idempotent_is_never_sent_again_unless_an_answer_says_it_was_not_handled(
    attempt: Attempt, rules: RetryRules
) -> None:
    verdict = judge(attempt, rules, idempotent=False)
    if verdict.retry and attempt.failure is Failure.STATUS:
        assert attempt.status in (429, 503)
        assert rules is QUEUE
    elif verdict.retry:
        assert attempt.failure is Failure.CONNECT or not attempt.sent


@given(ATTEMPTS, st.sampled_from([*RULES.values()]), st.booleans(), st.floats(0, 1))
def test_a_repetition_is_the_first_within_its_deadline_and_has_its_body(
    attempt: Attempt, rules: RetryRules, idempotent: bool, jitter: float
) -> None:
    verdict = judge(attempt, rules, idempotent=idempotent, jitter=jitter)
    assert verdict.reason
    if not verdict.retry:
        assert verdict.wait_s == 0
        return
    assert attempt.number == 1
    assert attempt.body_held or attempt.failure is Failure.CONNECT
    assert attempt.failure is Failure.STATUS or not attempt.reply_started or not attempt.sent
    assert 0 <= verdict.wait_s < attempt.remaining_s
    assert verdict.wait_s <= (rules.queue_wait_s or LONGEST_WAIT_S)


def test_a_quiet_gateway_may_repeat_three_times_at_once_and_then_once_in_ten_seconds() -> None:
    budget = RetryBudget(100.0)
    assert [budget.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert [budget.take(now) for now in (105.0, 110.0, 110.0)] == [False, True, False]
    assert [budget.take(1000.0) for _ in range(4)] == [True, True, True, False]


def test_ten_requests_earn_one_repetition_and_no_more_than_twenty_are_kept() -> None:
    budget = RetryBudget(0.0)
    while budget.take(0.0):
        pass
    for _ in range(10):
        assert not budget.take(0.0)
        budget.earned += 1
    assert budget.take(0.0)
    for _ in range(1000):
        budget.earned += 1
    assert [budget.take(0.0) for _ in range(21)].count(True) == 20


def test_a_repetition_that_the_budget_has_not_is_refused() -> None:
    budget, attempt = RetryBudget(0.0), Attempt(1, Failure.CONNECT, 50.0)
    verdicts = [judge_attempt(attempt, QUEUE, budget, 0.0, idempotent=True) for _ in range(4)]
    assert [verdict.retry for verdict in verdicts] == [True, True, True, False]
    assert verdicts[-1].reason == "budget"


@given(st.lists(st.tuples(st.floats(0, 5), st.sampled_from(["earn", "take"]))))
def test_repetitions_stay_below_a_tenth_of_the_requests_and_the_floor(
    steps: list[tuple[float, str]],
) -> None:
    budget, now, earned, taken = RetryBudget(0.0), 0.0, 0, 0
    for wait_s, step in steps:
        now += wait_s
        if step == "earn":
            budget.earned += 1
            earned += 1
        else:
            taken += budget.take(now)
        assert taken <= 3 + earned / 10 + now / 10 + 1e-6

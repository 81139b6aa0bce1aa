"""What is said of second attempts is what `policy.retries` says."""

import pytest

from gateway.cli.explain_retries import describe_retries
from gateway.policy.retries import RetryRules
from gateway.policy.routes import Scheme
from tests.policy.world import plan_of

PATH = "/restapi/v1.0/account/~"
CONNECT = "a failed connect (50 to 100 ms later)"
SAFE = f"{CONNECT}, a stale connection, 503 with Retry-After up to 2 s, a 401 of the token"
UNSAFE = f"{CONNECT}, a 401 of the token; only then: what is not idempotent could be done twice"


@pytest.mark.parametrize(
    ("method", "target", "said"),
    [
        ("GET", PATH, SAFE),
        ("POST", PATH, UNSAFE),
        ("POST", f"{PATH}?_method=PUT", SAFE),
        ("POST", f"{PATH}?_method=PATCH", UNSAFE),
    ],
)
def test_the_effective_method_decides(method: str, target: str, said: str) -> None:
    plan = plan_of(method, target)
    assert describe_retries(plan, RetryRules(), is_held=True) == f"once, after {said}"


def test_a_body_that_is_not_held_leaves_the_connect_only() -> None:
    plan = plan_of("PUT", PATH)
    assert describe_retries(plan, RetryRules(), is_held=False) == (
        f"once, after {CONNECT}; only then: a body over limits.replay_body_bytes is not held"
    )


def test_a_queue_and_further_statuses_are_told() -> None:
    rules = RetryRules(frozenset({502, 503}), queue_wait_s=30.0)
    said = describe_retries(plan_of("GET", PATH), rules, is_held=True)
    long, short = "with Retry-After up to 30 s", "with Retry-After up to 2 s"
    assert f"429 {long}, 502 {short}, 503 {long}" in said
    posted = describe_retries(plan_of("POST", PATH), rules, is_held=True)
    assert f"429 {long}, 503 {long}" in posted
    assert "502" not in posted


def test_a_token_that_is_the_callers_is_not_replaced() -> None:
    plan = plan_of("GET", PATH, scheme=Scheme.PASSTHROUGH)
    assert "401" not in describe_retries(plan, RetryRules(), is_held=True)

"""What is said of second attempts is what `policy.retries` says."""

import pytest

from gateway.cli.explain_retries import describe_retries
from gateway.policy.retries import RetryRules
from gateway.policy.routes import Scheme
from tests.policy.world import plan_of

PATH = "/restapi/v1.0/account/~"


@pytest.mark.parametrize(
    ("method", "target", "said"),
    [
        ("GET", PATH, "a failed connect, a stale connection, 503, a 401 of the token"),
        ("POST", PATH, "a failed connect, a 401 of the token"),
        (
            "POST",
            f"{PATH}?_method=PUT",
            "a failed connect, a stale connection, 503, a 401 of the token",
        ),
        ("POST", f"{PATH}?_method=PATCH", "a failed connect, a 401 of the token"),
    ],
)
def test_the_effective_method_decides(method: str, target: str, said: str) -> None:
    plan = plan_of(method, target)
    assert describe_retries(plan, RetryRules(), is_held=True) == f"once, after {said}"


def test_a_body_that_is_not_held_leaves_the_connect_only() -> None:
    plan = plan_of("PUT", PATH)
    assert describe_retries(plan, RetryRules(), is_held=False) == "once, after a failed connect"


def test_a_queue_and_further_statuses_are_told() -> None:
    rules = RetryRules(frozenset({502, 503}), queue_wait_s=30.0)
    said = describe_retries(plan_of("GET", PATH), rules, is_held=True)
    assert "429, 502, 503" in said
    assert "429, 503" in describe_retries(plan_of("POST", PATH), rules, is_held=True)


def test_a_token_that_is_the_callers_is_not_replaced() -> None:
    plan = plan_of("GET", PATH, scheme=Scheme.PASSTHROUGH)
    assert "401" not in describe_retries(plan, RetryRules(), is_held=True)

"""gateway/policy/retries.py."""

from itertools import product

import pytest

from gateway.policy.retries import Attempt, may_retry
from tests.policy.world import plan_of

PATH = "/restapi/v1.0/account/~"


@pytest.mark.parametrize(
    ("number", "reused", "started", "held", "method"),
    list(product((1, 2), (True, False), (True, False), (True, False), ("GET", "POST"))),
)
def test_only_the_first_attempt_on_a_reused_connection_is_repeated(
    number: int, reused: bool, started: bool, held: bool, method: str
) -> None:
    attempt = Attempt(number, connection_reused=reused, reply_started=started, body_held=held)
    allowed = (number, reused, started, held, method) == (1, True, False, True, "GET")
    assert may_retry(plan_of(method, PATH), attempt) is allowed


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
    attempt = Attempt(1, connection_reused=True, reply_started=False, body_held=True)
    assert may_retry(plan, attempt) is allowed

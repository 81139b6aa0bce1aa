"""gateway/pipeline.py: what a policy remembers changes no decision."""

import pytest

from gateway.pipeline import decide
from gateway.policy.routes import Scheme
from tests.policy.world import policy_of, raw_of

PATH = "/restapi/v1.0/account/~"


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize(
    "series",
    [
        ("GET", "", "Authorization: Bearer a", "Authorization: Bearer b", "Cookie: c"),
        ("POST", "X-HTTP-Method-Override: PUT", "", "X-HTTP-Method-Override: DELETE"),
        ("OPTIONS", "Max-Forwards: 3", "Max-Forwards: 2", "Max-Forwards: 3"),
        ("GET", "Connection: x-a\nX-A: 1", "X-A: 1", "X-Auth-Token: t", "x_auth_token: t"),
    ],
)
def test_a_policy_that_has_seen_the_head_decides_as_one_that_has_not(
    scheme: Scheme, series: tuple[str, ...]
) -> None:
    policy = policy_of(scheme=scheme)
    method, *lines = series
    for line in [*lines, *lines]:
        for path in (PATH, "/voice/api/v1/x"):
            raw = raw_of(method, path, line)
            assert decide(raw, policy, 1.0) == decide(raw, policy_of(scheme=scheme), 1.0)

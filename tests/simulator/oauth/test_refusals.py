import pytest

from gateway.simulator.faults import Fault
from gateway.simulator.oauth import refusals


def test_an_oauth_refusal_has_both_vocabularies() -> None:
    assert refusals.invalid_grant().document() == {
        "error": "invalid_grant",
        "errors": [{"errorCode": "OAU-210", "message": "Token expired"}],
        "error_description": "Token expired",
    }


@pytest.mark.parametrize(
    ("fault", "status", "error", "code"),
    [
        (refusals.invalid_client(), 401, "invalid_client", "OAU-146"),
        (refusals.invalid_request("x"), 400, "invalid_request", "CMN-101"),
        (refusals.unsupported_grant(), 400, "unsupported_grant_type", "OAU-250"),
    ],
)
def test_a_refusal_has_its_code(
    fault: refusals.OAuthFault, status: int, error: str, code: str
) -> None:
    assert (fault.status, fault.error, fault.code) == (status, error, code)


@pytest.mark.parametrize(
    ("fault", "outer", "inner"),
    [
        (refusals.unparsable_token(), "TokenInvalid", "OAU-149"),
        (refusals.expired_token(), "OAU-128", "OAU-128"),
        (refusals.corrupted_token(), "OAU-129", "OAU-129"),
        (refusals.missing_token(), "OAU-213", "OAU-213"),
    ],
)
def test_a_dead_token_is_challenged_with_bearer(fault: Fault, outer: str, inner: str) -> None:
    assert (fault.status, fault.code, fault.inner_code) == (401, outer, inner)
    assert fault.headers["WWW-Authenticate"].startswith("Bearer ")

import pytest

from gateway.credentials.failures import Outcome, TokenCallFailed


def test_a_failure_says_how_and_why() -> None:
    failure = TokenCallFailed(Outcome.THROTTLED, "too many", status=429, retry_after_s=3.0)
    assert str(failure) == failure.reason == "too many"
    assert (failure.outcome, failure.status, failure.retry_after_s) == ("throttled", 429, 3.0)


def test_outcomes_are_words_for_a_label() -> None:
    assert all(outcome.value.isalpha() and outcome.value.islower() for outcome in Outcome)


@pytest.mark.parametrize(
    ("status", "codes", "is_over"),
    [
        (400, ("invalid_grant", "OAU-210"), True),
        (400, ("OAU-210",), True),
        (401, ("invalid_client", "OAU-146"), False),
        (403, (), False),
        (500, ("invalid_grant",), False),
    ],
)
def test_what_was_presented_is_over_when_the_vendor_says_so(
    status: int, codes: tuple[str, ...], is_over: bool
) -> None:
    failure = TokenCallFailed(Outcome.REJECTED, "no", status=status, codes=codes)
    assert failure.is_over is is_over

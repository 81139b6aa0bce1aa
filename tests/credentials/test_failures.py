from gateway.credentials.failures import Outcome, TokenCallFailed


def test_a_failure_says_how_and_why() -> None:
    failure = TokenCallFailed(Outcome.THROTTLED, "too many", status=429, retry_after_s=3.0)
    assert str(failure) == failure.reason == "too many"
    assert (failure.outcome, failure.status, failure.retry_after_s) == ("throttled", 429, 3.0)


def test_outcomes_are_words_for_a_label() -> None:
    assert all(outcome.value.isalpha() and outcome.value.islower() for outcome in Outcome)

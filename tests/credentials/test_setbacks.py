import math

import pytest

from gateway.credentials.failures import Outcome, TokenCallFailed
from gateway.credentials.setbacks import Setbacks


def failed(outcome: Outcome, retry_after_s: float | None = None) -> TokenCallFailed:
    return TokenCallFailed(outcome, "why", retry_after_s=retry_after_s)


@pytest.mark.parametrize("outcome", [Outcome.TIMEOUT, Outcome.UNREACHABLE, Outcome.ERROR])
def test_silence_and_errors_are_repeated_three_times_soon_then_once_a_window(
    outcome: Outcome,
) -> None:
    setbacks = Setbacks(10.0, 60.0)
    waits = [setbacks.note(failed(outcome), 100.0).retry_at - 100.0 for _ in range(5)]
    assert waits == [10.0, 10.0, 10.0, 60.0, 60.0]


def test_what_the_vendor_says_of_the_wait_counts() -> None:
    setbacks = Setbacks(10.0, 60.0)
    assert setbacks.note(failed(Outcome.THROTTLED, 7.5), 100.0).retry_at == 107.5
    assert setbacks.note(failed(Outcome.THROTTLED), 100.0).retry_at == 160.0
    assert setbacks.note(failed(Outcome.BUDGET, 0.25), 100.0).retry_at == 100.25


def test_a_rejection_is_never_repeated() -> None:
    setbacks = Setbacks(10.0, 60.0)
    assert setbacks.note(failed(Outcome.REJECTED), 1.0).retry_at == math.inf
    assert setbacks.hold_off(1e12) is setbacks.latest


def test_an_attempt_is_held_off_until_its_time_and_no_longer() -> None:
    setbacks = Setbacks(10.0, 60.0)
    assert setbacks.hold_off(0.0) is None
    setback = setbacks.note(failed(Outcome.ERROR), 100.0)
    assert setbacks.hold_off(109.9) is setback
    assert setback.outcome is Outcome.ERROR
    assert setback.reason == "why"
    assert setbacks.hold_off(110.0) is None


def test_a_success_forgets_what_was_before() -> None:
    setbacks = Setbacks(10.0, 60.0)
    for _ in range(4):
        setbacks.note(failed(Outcome.ERROR), 0.0)
    setbacks.forget()
    assert setbacks.latest is None
    assert setbacks.note(failed(Outcome.ERROR), 0.0).retry_at == 10.0

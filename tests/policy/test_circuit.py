"""gateway/policy/circuit.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.circuit import THRESHOLD, Circuit


def opened(now: float = 0.0) -> Circuit:
    circuit = Circuit()
    for _ in range(THRESHOLD):
        assert circuit.refusal(now) is None
        circuit.fail(now)
    return circuit


def test_failures_in_a_row_open_it_and_fewer_do_not() -> None:
    circuit = Circuit()
    for _ in range(3):
        for _ in range(THRESHOLD - 1):
            circuit.fail(0.0)
        circuit.succeed()
    assert not circuit.is_open
    assert circuit.refusal(0.0) is None
    assert opened().is_open


def test_one_probe_goes_in_each_pause_and_the_pauses_grow_to_five_seconds() -> None:
    circuit = opened(now=100.0)
    probes = [tenth / 10 for tenth in range(1000, 1200) if circuit.refusal(tenth / 10) is None]
    assert probes == [101.0, 103.0, 107.0, 112.0, 117.0]


def test_a_probe_that_fails_changes_nothing_and_one_that_succeeds_closes() -> None:
    circuit = opened()
    assert circuit.refusal(1.0) is None
    circuit.fail(1.5)
    assert circuit.refusal(2.9) == 3.0
    assert circuit.refusal(3.0) is None
    circuit.succeed()
    assert not circuit.is_open
    assert circuit.refusal(3.0) is None


def test_the_pause_begins_at_one_second_each_time_it_opens() -> None:
    circuit = opened()
    for now in (1.0, 3.0, 7.0):
        assert circuit.refusal(now) is None
    circuit.succeed()
    for _ in range(THRESHOLD):
        circuit.fail(8.0)
    assert circuit.refusal(8.5) == 9.0


def steps() -> st.SearchStrategy[list[tuple[float, str]]]:
    return st.lists(st.tuples(st.floats(0, 3), st.sampled_from(["ask", "fail", "succeed"])))


@pytest.mark.parametrize("threshold", [1, 2, 5])
@given(steps=steps())
def test_it_is_a_state_machine(threshold: int, steps: list[tuple[float, str]]) -> None:
    circuit, row, now = Circuit(threshold), 0, 0.0
    asked_at = opened_at = -1.0
    for wait_s, step in steps:
        now += wait_s
        if step == "succeed":
            circuit.succeed()
            row = 0
        elif step == "fail":
            circuit.fail(now)
            row += 1
            opened_at = now if row == threshold else opened_at
            asked_at = opened_at if row == threshold else asked_at
        else:
            retry_at = circuit.refusal(now)
            # Closed it lets everything through; open, one at most each second, one at least each 5.
            assert row >= threshold or retry_at is None
            if row >= threshold:
                assert retry_at is not None or now >= asked_at + 1.0
                assert retry_at is None or now < retry_at <= asked_at + 5.0
                asked_at = now if retry_at is None else asked_at
        assert circuit.is_open == (row >= threshold)


@given(st.floats(0, 20))
def test_the_retry_time_is_exact(now: float) -> None:
    circuit = opened()
    retry_at = circuit.refusal(now)
    if retry_at is not None:
        assert circuit.refusal(retry_at) is None

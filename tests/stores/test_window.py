"""A rolling budget: never over the limit in any window, and exact about the wait."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.stores.window import spend_one, take_one_back

WINDOW_S = 60.0
# Whole seconds, so that sums of them are exact.
STEPS = st.lists(st.integers(0, 40), max_size=60)


@given(STEPS, st.integers(1, 5))
def test_no_window_has_more_than_the_limit(steps: list[int], limit: int) -> None:
    times: list[float] = []
    spent: list[float] = []
    now = 0.0
    for step in steps:
        now += step
        times, wait_s = spend_one(times, now, limit, WINDOW_S)
        if wait_s == 0.0:
            spent.append(now)
        assert len([time for time in spent if time > now - WINDOW_S]) <= limit
        assert len(times) <= limit


@given(STEPS, st.integers(1, 5))
def test_the_wait_is_exact(steps: list[int], limit: int) -> None:
    times: list[float] = []
    now = 0.0
    for step in steps:
        now += step
        times, wait_s = spend_one(times, now, limit, WINDOW_S)
        if wait_s > 0:
            assert spend_one(times, now + wait_s, limit, WINDOW_S)[1] == 0.0
            assert spend_one(times, now + wait_s - 0.5, limit, WINDOW_S)[1] == 0.5


@given(STEPS, st.integers(1, 5), st.integers(1, 10**6))
def test_a_clock_that_was_set_back_costs_one_window_at_most(
    steps: list[int], limit: int, back: int
) -> None:
    times: list[float] = []
    now = 1e9
    for step in steps:
        now += step
        times, _ = spend_one(times, now, limit, WINDOW_S)
    now -= back
    times, wait_s = spend_one(times, now, limit, WINDOW_S)
    assert 0 <= wait_s <= WINDOW_S
    later = now + WINDOW_S
    assert spend_one(times, later, limit, WINDOW_S)[1] == 0.0


@given(STEPS, st.integers(0, 60), st.integers(1, 5))
def test_what_is_taken_back_was_never_spent_and_all_else_was(
    steps: list[int], which: int, limit: int
) -> None:
    spent: list[float] = []
    now = 0.0
    for step in steps:
        now += step
        spent.append(now)
    others = [*spent[:which], *spent[which + 1 :]]
    left = take_one_back(spent, spent[which] if which < len(spent) else -1.0)
    assert left == others
    assert spend_one(left, now, limit, WINDOW_S) == spend_one(others, now, limit, WINDOW_S)


def test_a_limit_that_was_lowered_waits_until_fewer_than_it_are_left() -> None:
    times = [1.0, 2.0, 3.0, 4.0, 5.0]
    assert spend_one(times, 6.0, 2, WINDOW_S) == (times, 58.0)
    assert spend_one(times, 64.0, 2, WINDOW_S) == ([5.0, 64.0], 0.0)

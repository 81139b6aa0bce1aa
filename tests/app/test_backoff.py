"""How long a worker that ended is waited for."""

from gateway.app.backoff import Backoff


def test_each_wait_is_twice_the_one_before_up_to_half_a_minute() -> None:
    backoff = Backoff()
    waits = [backoff.wait_s(0.0) for _ in range(9)]
    assert waits == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_a_long_life_begins_anew() -> None:
    backoff = Backoff()
    assert [backoff.wait_s(lived_s) for lived_s in (1.0, 1.0, 60.0, 1.0)] == [0.25, 0.5, 0.25, 0.5]

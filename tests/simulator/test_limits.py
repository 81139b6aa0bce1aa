from gateway.simulator.limits import Limit


def test_a_window_takes_its_count_and_rolls() -> None:
    limit = Limit(2, 60)
    assert [limit.spend(0), limit.spend(20)] == [0, 0]
    assert limit.left(20) == 0
    assert limit.spend(59.5) == 0.5
    assert limit.left(60) == 1
    assert limit.spend(60) == 0


def test_without_a_penalty_a_call_that_was_turned_away_counts_for_nothing() -> None:
    limit = Limit(1, 60)
    limit.spend(0)
    assert [limit.spend(at) for at in (30, 59, 60)] == [30, 1, 0]


def test_every_request_within_the_penalty_begins_it_anew() -> None:
    limit = Limit(1, 60, 60)
    limit.spend(0)
    assert limit.spend(10) == 60
    assert limit.spend(69) == 60
    assert limit.spend(128) == 60
    assert limit.left(187) == 0
    assert limit.left(188) == 1
    assert limit.spend(188) == 0


def test_a_penalty_shows_from_outside() -> None:
    limit = Limit(1, 60, 60)
    assert limit.punishes
    assert not Limit(1, 60).punishes
    limit.spend(0)
    assert not limit.is_shut(0)
    limit.spend(0)
    assert limit.is_shut(59)
    assert not limit.is_shut(60)

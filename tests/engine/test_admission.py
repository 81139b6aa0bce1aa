"""Connections counted against a limit."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.engine.admission import TOLD_TOO_MANY, Admission


def test_who_is_told_takes_no_room() -> None:
    counted = Admission(2)
    assert [counted.admit() is None for _ in range(4)] == [True, True, False, False]
    assert (counted.connections, counted.has_room) == (4, False)
    counted.leave()
    assert counted.has_room
    assert counted.admit() is None
    counted.leave(was_told=True)
    assert not counted.has_room


def test_not_all_are_told() -> None:
    counted = Admission(0)
    for _ in range(TOLD_TOO_MANY):
        assert counted.admit() is not None
        assert not counted.is_swamped
    for number in range(1, 4):
        counted.admit()
        assert (counted.is_swamped, counted.surplus) == (True, number)
    for _ in range(3):
        counted.leave(was_told=True)
    assert not counted.is_swamped


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 5))
def test_whoever_comes_and_goes_no_more_are_served_than_may_be(
    comes: list[bool], most: int
) -> None:
    counted, here = Admission(most), list[bool]()
    for one in comes:
        if one:
            here.append(counted.admit() is not None)
        elif here:
            counted.leave(was_told=here.pop(0))
        served = here.count(False)
        assert served <= most
        assert (counted.connections, counted.has_room) == (len(here), served < most)

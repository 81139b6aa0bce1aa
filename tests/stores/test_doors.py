"""gateway/stores/doors.py, where the clock is an argument."""

from gateway.stores.doors import Doors, find_bar, shut_door
from gateway.stores.store import Bar


def test_what_is_open_again_is_forgotten() -> None:
    doors: Doors = {}
    shut_door(doors, "a", 100.0, 10.0)
    shut_door(doors, "b", 109.0, 10.0)
    assert find_bar(doors, ("a", "b"), 109.5) == Bar("b", 9.5)
    shut_door(doors, "c", 110.0, 10.0)
    assert set(doors) == {"b", "c"}
    assert find_bar(doors, ("a",), 110.0) is None
    assert find_bar(doors, (), 110.0) is None


def test_a_clock_that_was_set_back_opens_a_door() -> None:
    doors: Doors = {}
    shut_door(doors, "a", 5000.0, 10.0)
    assert find_bar(doors, ("a",), 1400.0) is None
    shut_door(doors, "a", 1400.0, 5.0)
    assert find_bar(doors, ("a",), 1401.0) == Bar("a", 4.0)

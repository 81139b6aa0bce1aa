"""gateway/policy/recent.py."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.recent import Recent


def test_the_longest_unused_is_forgotten_first() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert [*recent.items()] == [("a", 1), ("c", 3)]
    assert recent.get("b") is None


def test_what_is_used_once_room_gets_scarce_is_kept() -> None:
    recent: Recent[str, int] = Recent(4)
    for key in "abc":
        recent.put(key, 1)
    assert recent.get("a") == 1
    recent.put("d", 1)
    recent.put("e", 1)
    assert [key for key, _ in recent.items()] == ["c", "a", "d", "e"]


def test_a_key_can_be_set_again_and_dropped_twice() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.put("a", 1)
    recent.put("b", 1)
    recent.put("a", 2)
    recent.drop("b")
    recent.drop("b")
    assert [*recent.items()] == [("a", 2)]
    assert len(recent) == 1


@given(st.lists(st.integers(0, 9)), st.integers(1, 5))
def test_there_are_never_more_than_allowed_and_the_latest_is_there(
    keys: list[int], most: int
) -> None:
    recent: Recent[int, int] = Recent(most)
    for key in keys:
        recent.put(key, -key)
        assert len(recent) <= most
        assert recent.get(key) == -key

"""gateway/core/seen.py."""

from gateway.core.seen import MOST_SEEN, Seen


def test_a_key_comes_again_from_its_second_time_on() -> None:
    seen = Seen()
    assert [seen.comes_again(key) for key in (b"a", b"b", b"a", b"a", b"b")] == [
        *(False, False),
        *(True, True, True),
    ]


def test_it_forgets_everything_when_it_is_full() -> None:
    seen = Seen()
    for number in range(MOST_SEEN):
        assert not seen.comes_again(b"%d" % number)
    assert len(seen) == MOST_SEEN
    assert seen.comes_again(b"0")
    assert not seen.comes_again(b"new")
    assert len(seen) == 1
    assert not seen.comes_again(b"0")

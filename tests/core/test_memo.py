"""gateway/core/memo.py."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.memo import Memo


def test_what_was_put_is_got() -> None:
    memo: Memo[bytes, int] = Memo()
    memo.put(b"a", 1, 10)
    assert (memo.get(b"a"), memo.get(b"b"), len(memo)) == (1, None, 1)


def test_what_alone_is_too_large_is_not_kept() -> None:
    memo: Memo[bytes, int] = Memo(max_bytes=10)
    memo.put(b"a", 1, 5)
    memo.put(b"b", 2, 11)
    assert (memo.get(b"a"), memo.get(b"b")) == (1, None)


@given(st.lists(st.integers(0, 12), max_size=40))
def test_neither_bound_is_ever_passed_and_the_newest_is_there(sizes: list[int]) -> None:
    memo: Memo[int, int] = Memo(max_entries=4, max_bytes=20)
    for number, size in enumerate(sizes):
        memo.put(number, size, size)
        held = [kept for key in range(len(sizes)) if (kept := memo.get(key)) is not None]
        assert len(held) == len(memo) <= 4
        assert sum(held) <= 20
        assert memo.get(number) == size

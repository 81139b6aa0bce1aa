import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.framing import CHUNKED, EMPTY, NO_BODY, UNTIL_CLOSE, Framing, Kind
from gateway.engine.inflow import FULL_BYTES, Inflow, Whole
from gateway.errors import UpstreamBroken

CHUNKS = b"5;a=b\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nX: y\r\n\r\n"
FIVE = Framing(Kind.LENGTH, 5)


def test_a_chunked_body_is_the_same_wherever_it_is_cut() -> None:
    for cut in range(len(CHUNKS)):
        inflow = Inflow(CHUNKED)
        inflow.feed(CHUNKS[:cut])
        assert not inflow.ended
        inflow.feed(CHUNKS[cut:])
        assert (inflow.take(), inflow.ended, inflow.surplus) == (b"hello world", True, False)


@given(
    st.binary(max_size=60),
    st.lists(st.integers(0, 60), max_size=4),
    st.binary(max_size=5),
    st.sampled_from([Kind.LENGTH, Kind.CHUNKED]),
)
def test_what_is_fed_is_what_is_taken_and_the_rest_is_surplus(
    body: bytes, cuts: list[int], more: bytes, kind: Kind
) -> None:
    framed = body
    if kind is Kind.CHUNKED:
        framed = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
    inflow = Inflow(Framing(kind, len(body) if kind is Kind.LENGTH else 0))
    taken = b""
    edges = [0, *sorted(cut for cut in cuts if cut < len(framed)), len(framed)]
    for start, end in itertools.pairwise(edges):
        inflow.feed(framed[start:end])
        taken += inflow.take()
    assert (taken, inflow.ended, inflow.surplus) == (body, True, False)
    inflow.feed(more)
    assert (inflow.take(), inflow.surplus) == (b"", bool(more))


@given(st.binary(min_size=1, max_size=60), st.lists(st.integers(1, 9)), st.integers(0, 9))
def test_what_is_not_taken_as_it_comes_is_held_with_all_that_follows(
    body: bytes, sizes: list[int], most: int
) -> None:
    inflow = Inflow(Framing(Kind.LENGTH, len(body)))
    offered: list[bytes] = []

    def take(data: bytes) -> bool:
        offered.append(data)
        return len(offered) <= most

    inflow.taker = take
    rest = body
    for size in (*sizes, len(body)):
        inflow.feed(rest[:size])
        rest = rest[size:]
    assert b"".join(offered[:most]) + inflow.take() == body
    # Who has refused is asked no more.
    assert len(offered) <= most + 1
    assert inflow.ended


def test_the_chunks_of_a_read_are_taken_together_and_nothing_that_is_none() -> None:
    inflow = Inflow(CHUNKED)
    offered: list[bytes] = []

    def take(data: bytes) -> bool:
        offered.append(data)
        return len(offered) < 2

    inflow.taker = take
    inflow.feed(b"2\r\nab\r\n1\r\nc\r\n1\r")
    inflow.feed(b"\n")
    inflow.feed(b"d\r\n0\r\n\r\n")
    assert (offered, inflow.take(), inflow.ended) == ([b"abc", b"d"], b"d", True)


@given(st.binary(max_size=60), st.binary(max_size=5))
def test_a_body_that_came_whole_is_taken_as_any_other(body: bytes, more: bytes) -> None:
    inflow = Inflow(Framing(Kind.LENGTH, len(body)))
    inflow.feed(body)
    whole = Whole()
    whole.data = body
    for one in (inflow, whole):
        one.feed_eof()
        one.feed(more)
        assert (one.held_bytes, one.peek(), one.is_full) == (len(body), body, False)
        assert (one.ended, one.surplus) == (True, bool(more))
        assert (one.take(), one.take(), one.held_bytes) == (body, b"", 0)


@pytest.mark.parametrize(
    ("framing", "stream", "body"),
    [
        (FIVE, b"helloX", b"hello"),
        (CHUNKED, b"0\r\n\r\nX", b""),
        (NO_BODY, b"X", b""),
        (EMPTY, b"X", b""),
    ],
)
def test_bytes_after_the_end_are_surplus_and_no_body(
    framing: Framing, stream: bytes, body: bytes
) -> None:
    inflow = Inflow(framing)
    inflow.feed(stream)
    assert (inflow.take(), inflow.ended, inflow.surplus) == (body, True, True)
    inflow.feed(b"")
    assert inflow.surplus


@pytest.mark.parametrize("framing", [NO_BODY, EMPTY])
def test_what_has_no_body_has_ended(framing: Framing) -> None:
    inflow = Inflow(framing)
    inflow.feed(b"")
    inflow.feed_eof()
    assert (inflow.ended, inflow.surplus, inflow.take()) == (True, False, b"")


def test_only_a_body_until_close_ends_with_the_connection() -> None:
    inflow = Inflow(UNTIL_CLOSE)
    inflow.feed(b"hello")
    assert not inflow.ended
    inflow.feed_eof()
    assert (inflow.take(), inflow.ended) == (b"hello", True)


@pytest.mark.parametrize(
    ("framing", "stream"), [(FIVE, b"hell"), (CHUNKED, CHUNKS[:-1]), (CHUNKED, b"")]
)
def test_a_body_cut_short_is_not_whole(framing: Framing, stream: bytes) -> None:
    inflow = Inflow(framing)
    inflow.feed(stream)
    with pytest.raises(UpstreamBroken, match="before the body was complete"):
        inflow.feed_eof()
    assert not inflow.ended


def test_a_bad_chunk_is_a_broken_upstream() -> None:
    inflow = Inflow(CHUNKED)
    with pytest.raises(UpstreamBroken, match="chunked its reply badly"):
        inflow.feed(b"5\r\nhello!\r\n")
    assert not inflow.ended


@pytest.mark.parametrize("framing", [UNTIL_CLOSE, Framing(Kind.LENGTH, 1 << 30)])
def test_it_is_full_until_it_is_taken(framing: Framing) -> None:
    inflow = Inflow(framing)
    inflow.feed(b"a" * (FULL_BYTES - 1))
    assert not inflow.is_full
    inflow.feed(b"a")
    assert inflow.is_full
    assert len(inflow.take()) == FULL_BYTES
    assert not inflow.is_full


def test_a_piece_is_taken_without_a_copy() -> None:
    inflow = Inflow(UNTIL_CLOSE)
    piece = b"a" * 1000
    inflow.feed(piece)
    assert inflow.take() is piece


def test_what_was_let_by_is_neither_held_nor_awaited() -> None:
    inflow = Inflow(Framing(Kind.LENGTH, 10))
    inflow.feed(b"ab")
    inflow.let_by(5)
    assert (inflow.left, inflow.held_bytes) == (3, 2)
    inflow.feed(b"hijk")
    assert (inflow.take(), inflow.ended, inflow.surplus) == (b"abhij", True, True)


@pytest.mark.parametrize("framing", [CHUNKED, UNTIL_CLOSE, EMPTY, NO_BODY])
def test_of_a_body_without_a_length_nobody_knows_how_much_is_left(framing: Framing) -> None:
    assert Inflow(framing).left == 0
    assert Whole().left == 0

"""Heads and bodies found in a stream, whatever its cuts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.chunked import BadChunk
from gateway.core.framing import CHUNKED, NO_BODY, Framing, Kind
from gateway.engine.boundary import MAX_METHOD_BYTES, Boundary

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n\r\n"
BODY = b"5;x=y\r\nhello\r\n0\r\nA: b\r\n\r\n"
# The same body without what must not reach the parser.
PLAIN = b"5\r\nhello\r\n0\r\n\r\n"


def make(max_head_bytes: int = 200, max_target_bytes: int = 100) -> Boundary:
    return Boundary(max_head_bytes, max_target_bytes)


def take_all(boundary: Boundary) -> bytes:
    taken = b""
    while part := boundary.take():
        taken += part
    return taken


def test_a_whole_head_is_given_out_at_once_and_nothing_behind_it() -> None:
    boundary = make()
    boundary.receive(HEAD + HEAD)
    assert boundary.take() == HEAD == boundary.head
    boundary.end_head(NO_BODY)
    assert boundary.take() == HEAD


@pytest.mark.parametrize("number", [1, 2, 100_000])
def test_empty_lines_before_a_request_line_are_dropped(number: int) -> None:
    boundary = make()
    boundary.receive(b"\r\n" * number)
    assert boundary.take() == b""
    assert not boundary.head_begun
    boundary.receive(b"\r\n" * number + HEAD)
    assert boundary.take() == HEAD


@pytest.mark.parametrize("begun", [b"\r", b"P", b"POST", b"POST ", b"POST /a b", b"POST /\r"])
def test_a_request_line_is_held_until_it_ends(begun: bytes) -> None:
    boundary = make()
    boundary.receive(begun)
    assert boundary.take() == b""
    assert boundary.head_begun
    assert not boundary.head_too_large


@pytest.mark.parametrize(
    "begun",
    [b"\x16", b"P\xff", b"\n", b"P\n", b" ", b"P\r\r", b"(", b"A" * (MAX_METHOD_BYTES + 1)],
)
def test_what_can_be_no_request_line_is_given_out_at_once(begun: bytes) -> None:
    boundary = make()
    boundary.receive(begun)
    assert boundary.take() == begun


def test_a_request_line_longer_than_any_is_given_out_to_be_judged() -> None:
    boundary = make(max_head_bytes=1000)
    boundary.receive(b"POST /" + b"a" * 200)
    assert len(boundary.take()) == 206


@pytest.mark.parametrize("more", [0, 1])
def test_a_head_ends_with_its_limit(more: int) -> None:
    boundary = make()
    line = b"POST / HTTP/1.1\r\n"
    boundary.receive(line + b"a" * (200 - len(line) + more))
    assert len(take_all(boundary)) == 200
    assert boundary.head_too_large is (more > 0)


def test_nothing_has_begun_before_the_first_byte_and_after_a_whole_request() -> None:
    boundary = make()
    assert not boundary.head_begun
    boundary.receive(HEAD)
    boundary.take()
    assert boundary.head_begun
    boundary.end_head(NO_BODY)
    assert not boundary.head_begun
    assert boundary.take() == b""
    boundary.receive(b"\r\n")
    assert boundary.take() == b""
    assert not boundary.head_begun


def test_what_is_dropped_is_given_to_nobody() -> None:
    boundary = make()
    boundary.receive(HEAD + HEAD)
    assert boundary.take() == HEAD
    boundary.drop()
    assert boundary.take() == b""


def test_a_body_with_a_length_ends_with_it() -> None:
    boundary = make()
    boundary.receive(HEAD + b"hello" + HEAD)
    boundary.take()
    boundary.end_head(Framing(Kind.LENGTH, 5))
    assert boundary.in_body
    assert boundary.take() == b"hello"
    assert not boundary.in_body
    assert boundary.take() == HEAD


def test_all_but_the_end_of_a_body_may_pass_by() -> None:
    boundary = make()
    assert not boundary.skip(1)
    boundary.receive(HEAD)
    take_all(boundary)
    boundary.end_head(Framing(Kind.LENGTH, 5))
    assert boundary.skip(4)
    assert not boundary.skip(1)
    boundary.receive(b"o" + HEAD)
    assert not boundary.skip(1)
    assert (boundary.take(), boundary.take()) == (b"o", HEAD)


def test_a_chunked_body_is_given_out_without_its_extensions_and_trailer() -> None:
    boundary = make()
    boundary.receive(HEAD + BODY + HEAD)
    boundary.take()
    boundary.end_head(CHUNKED)
    assert boundary.take() == PLAIN
    assert not boundary.in_body
    assert boundary.take() == HEAD


def test_a_broken_chunk_is_an_error() -> None:
    boundary = make()
    boundary.receive(HEAD + b"x\r\n")
    boundary.take()
    boundary.end_head(CHUNKED)
    with pytest.raises(BadChunk, match="does not begin with its size"):
        boundary.take()


@given(st.lists(st.binary(max_size=30), max_size=6), st.data())
def test_cuts_move_no_boundary(bodies: list[bytes], data: st.DataObject) -> None:
    requests = [(HEAD, Framing(Kind.LENGTH, len(body)), body) for body in bodies]
    requests.append((HEAD, CHUNKED, BODY))
    stream = b"".join(head + body for head, _, body in requests)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(stream) - 1), max_size=10)))
    boundary, found, taken = make(), [], b""
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        boundary.receive(stream[start:end])
        while part := boundary.take():
            taken += part
            if not boundary.in_body and taken.endswith(b"\r\n\r\n") and boundary.head_begun:
                found.append(taken)
                framing = requests[len(found) - 1][1]
                boundary.end_head(framing)
                taken = b""
            elif not boundary.in_body and not boundary.head_begun:
                taken = b""
    assert found == [HEAD] * len(requests)


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=10))
def test_nothing_is_lost_made_or_moved(pieces: list[bytes]) -> None:
    boundary, taken = make(max_head_bytes=10_000, max_target_bytes=10), b""
    for piece in pieces:
        boundary.receive(piece)
        taken += take_all(boundary)
    sent = b"".join(pieces)
    while sent.startswith(b"\r\n"):
        sent = sent[2:]
    assert sent.startswith(taken)


def test_what_is_held_of_a_body_keeps_the_rest_of_it_from_being_told() -> None:
    boundary = make()
    boundary.receive(HEAD)
    boundary.take()
    boundary.end_head(Framing(Kind.LENGTH, 10))
    assert boundary.left == 10
    boundary.receive(b"abc")
    assert boundary.left == 0
    boundary.take()
    assert boundary.left == 7
    assert boundary.skip(3)
    assert boundary.left == 4

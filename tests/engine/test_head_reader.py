import itertools
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.field_places import OFTEN, places_among
from gateway.core.framing import Framing
from gateway.core.headers import Fields
from gateway.core.message import ReplyHead
from gateway.engine.head_reader import (
    MAX_FIELDS,
    MAX_HEAD_BYTES,
    MAX_INTERIM_BYTES,
    HeadReader,
)
from gateway.errors import UpstreamBroken

START = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: 2\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n"


Said: TypeAlias = tuple[int, bytes, bytes, Fields, Framing]


def said_by(head: ReplyHead) -> Said:
    return head.status, head.reason, head.version, head.fields, head.framing


def read(stream: bytes, *cuts: int) -> tuple[Said | None, bytes] | str:
    """Return what the head says and what is left after it, or "refused"."""
    return read_with(HeadReader("GET"), stream, *cuts)


def read_with(reader: HeadReader, stream: bytes, *cuts: int) -> tuple[Said | None, bytes] | str:
    edges = [0, *sorted(cuts), len(stream)]
    for start, end in itertools.pairwise(edges):
        try:
            head = reader.feed(stream[start:end])
        except UpstreamBroken:
            return "refused"
        if head is not None:
            return said_by(head), reader.rest + stream[end:]
    return None, reader.rest


def test_a_head_is_the_same_wherever_it_is_cut() -> None:
    stream = INTERIM + START + LENGTH + b"\r\nok"
    whole = read(stream)
    assert not isinstance(whole, str)
    assert whole[0] is not None
    assert (whole[0][0], whole[0][3], whole[1]) == (200, ((b"Content-Length", b"2"),), b"ok")
    for cut in range(len(stream)):
        assert read(stream, cut) == whole
    assert read(stream, *range(1, len(stream))) == whole


REPLIES = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from([LENGTH, b"", b"A: b\r\nC: d\r\n"]),
        st.sampled_from([b"", b"ok", START + LENGTH + b"\r\nno", b"HTTP/1.1 ", b"\r\n\r\n"]),
        st.sets(st.integers(1, 200), max_size=4),
    ),
    min_size=2,
    max_size=4,
)


@given(REPLIES)
def test_a_reader_that_goes_on_reads_the_next_reply_as_a_new_one_would(
    replies: list[tuple[int, bytes, bytes, set[int]]],
) -> None:
    reader = HeadReader("GET")
    for interims, fields, body, places in replies:
        stream = INTERIM * interims + START + fields + b"\r\n" + body
        cuts = sorted(place for place in places if place < len(stream))
        reader.method = "GET"
        assert read_with(reader, stream, *cuts) == read(stream, *cuts)


PARTS = st.sampled_from(
    [
        *(START, LENGTH, INTERIM, b"\r\n", b"\r", b"\n", b"A: b\r\n", b"A : b\r\n", b" b\r\n"),
        *(b"HTTP/1.1 20", b"HTTP/1.1 101 S\r\n\r\n", b"\x00", b"hello", b"HTTP/2"),
    ]
)


@given(
    st.lists(PARTS, max_size=6).map(b"".join),
    st.lists(st.integers(0, 99), max_size=6),
)
def test_the_verdict_is_the_same_wherever_the_stream_is_cut(stream: bytes, cuts: list[int]) -> None:
    inside = [cut for cut in cuts if cut <= len(stream)]
    assert read(stream, *inside) == read(stream)


@pytest.mark.parametrize(
    "part",
    [
        b"x",
        b"HTTP/2",
        b"HTTP/1.1 2x\r\n",
        b"\r\n",
        b"HTTP/1.1 200 OK\n",
        START + b"A : b\r\n",
        START + b"A: b\r\n c\r\n",
        START + b"A: b\n",
        START + b"A: b\rc\r\n",
        INTERIM + b"x",
        b"HTTP/1.1 101 Switching\r\n\r\n",
    ],
)
def test_what_cannot_become_a_head_is_refused_before_its_end(part: bytes) -> None:
    with pytest.raises(UpstreamBroken):
        HeadReader("GET").feed(part)


@pytest.mark.parametrize("part", [b"", b"H", b"HTTP/1.", START, START + b"A: b\r", START + b"A"])
def test_what_may_become_a_head_is_waited_for(part: bytes) -> None:
    assert HeadReader("GET").feed(part) is None


def test_a_head_is_bounded_in_bytes() -> None:
    fill = MAX_HEAD_BYTES - len(START + b"A: \r\n\r\n")
    assert HeadReader("GET").feed(START + b"A: " + b"b" * fill + b"\r\n\r\n") is not None
    for ending in (b"\r\n\r\n", b"bbbb"):
        with pytest.raises(UpstreamBroken, match="more than 65536 bytes"):
            HeadReader("GET").feed(START + b"A: " + b"b" * (fill + 1) + ending)


def test_a_head_is_bounded_in_fields() -> None:
    assert HeadReader("GET").feed(START + b"A:\r\n" * MAX_FIELDS + b"\r\n") is not None
    with pytest.raises(UpstreamBroken, match="more than 1000 fields"):
        HeadReader("GET").feed(START + b"A:\r\n" * (MAX_FIELDS + 1) + b"\r\n")


def test_interim_replies_are_bounded_in_bytes_and_not_in_number() -> None:
    most = MAX_INTERIM_BYTES // len(INTERIM)
    assert HeadReader("GET").feed(INTERIM * most + START + b"\r\n") is not None
    with pytest.raises(UpstreamBroken, match="without end"):
        HeadReader("GET").feed(INTERIM * (most + 1))
    dripped = HeadReader("GET")
    for _ in range(most):
        assert dripped.feed(INTERIM) is None
    with pytest.raises(UpstreamBroken, match="without end"):
        dripped.feed(INTERIM)


def test_interim_replies_of_one_request_are_not_those_of_the_next() -> None:
    reader, most = HeadReader("GET"), MAX_INTERIM_BYTES // len(INTERIM)
    usual = START + LENGTH + b"\r\n"
    for _ in range(OFTEN + 2):
        assert reader.feed(INTERIM * most) is None
        assert reader.feed(usual) is not None
    assert places_among([b"Content-Length"]).shape is not None
    with pytest.raises(UpstreamBroken, match="without end"):
        reader.feed(INTERIM * (most + 1))


def test_a_head_that_drips_in_costs_no_more_than_its_size() -> None:
    reader = HeadReader("GET")
    reader.feed(START)
    for _ in range(10_000):
        for byte in (b"A", b":", b"\r", b"\n"):
            assert reader.feed(byte) is None


class Counted(bytearray):
    """Counts the bytes that are searched and copied."""

    handled = 0

    def find(self, sub: Any, start: Any = 0, end: Any = None, /) -> int:
        self.handled += len(self) - start
        return super().find(sub, start)

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        self.handled += len(found) if isinstance(found, bytearray) else 1
        return found


def test_a_long_line_that_drips_in_is_not_looked_at_again_with_every_byte() -> None:
    reader = HeadReader("GET")
    reader._held = counted = Counted()
    stream = START + b"A: " + b"b" * (MAX_HEAD_BYTES - 100) + b"\r\n\r\n"
    for place in range(len(stream) - 1):
        assert reader.feed(stream[place : place + 1]) is None
    head = reader.feed(stream[-1:])
    assert head is not None
    # The ends of lines and of the head are looked for, then a line and the head are taken out.
    assert counted.handled < 10 * len(stream)


def test_a_failure_says_nothing_of_what_came() -> None:
    for stream in (b"secret\r\n\r\n", START + b"secret\r\n", START + b"s ecret: 1\r\n\r\n"):
        with pytest.raises(UpstreamBroken) as caught:
            HeadReader("GET").feed(stream)
        assert "ecret" not in str(caught.value)

"""gateway/core/reply_shape.py: a pattern of its own reads what the general one does, or nothing."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.core.field_places import MOST_SHAPED_FIELDS, OFTEN, Places, places_among
from gateway.core.grammar import PLAIN_REPLY
from gateway.core.headers import ENDING_HERE
from gateway.core.message import ReplyHead
from gateway.core.reply_head import parse_reply_head, read_like
from gateway.core.reply_shape import REASON, STATUS, ReplyShape, is_usual
from gateway.errors import UpstreamBroken
from tests.replies import known

NAMES = st.sampled_from(
    [
        *(b"Date", b"date", b"X-A", b"X.A", b"a+", b"$^|*", b"Content-Length", b"content-length"),
        *(b"Connection", b"Transfer-Encoding"),
    ]
)
VALUES = st.one_of(
    st.sampled_from(
        [
            *(b"", b"1", b"a b", b"a  b", b"a\t b", b" a", b"a ", b"\xff", b"x\r\nX-A: y", b"\n"),
            *(b"\t", b"\t1", b"chunked", b"close", b"5" * 19),
        ]
    ),
    st.binary(max_size=6),
)
STARTS = st.sampled_from(
    [
        *(b"HTTP/1.1 200 OK", b"HTTP/1.1 404 ", b"HTTP/1.1 204 No Content", b"HTTP/1.0 200 OK"),
        *(b"HTTP/1.1 200", b"HTTP/1.1 099 x", b"HTTP/1.1 200  OK", b"HTTP/1.1 200 O\xffK"),
        *(b"HTTP/1.1 100 Continue", b"HTTP/1.1 200 OK ", b"HTTP/1.1 304 Not  Modified"),
    ]
)
FIELDS = st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=5)
JOINTS = st.sampled_from([b": ", b": ", b": ", b":", b":  ", b" : "])
METHODS = st.sampled_from(["GET", "HEAD"])


def said_by(raw: bytes, method: str) -> object:
    try:
        head = parse_reply_head(raw, method)
    except UpstreamBroken as error:
        return error.message
    return what_it_says(head)


def said_like(raw: bytes, places: Places, method: str) -> object:
    """Return what is read by the shape of the places, None where there is none that matches."""
    shape = places.shape
    match = None if shape is None else shape.match(raw)
    if shape is None or match is None or match.end() < len(raw):
        return None
    return what_it_says(read_like(match, places, shape, method))


def what_it_says(head: ReplyHead) -> object:
    told = head.status, head.reason, head.version, head.fields, head.framing, head.connection
    return told, head.places.names


@given(STARTS, FIELDS, FIELDS, JOINTS, st.sampled_from([b"\r\n", b"", b"\n", b"X"]), METHODS)
def test_a_head_is_read_the_same_whatever_it_is_thought_to_be_like(
    start: bytes,
    fields: list[tuple[bytes, bytes]],
    others: list[tuple[bytes, bytes]],
    joint: bytes,
    end: bytes,
    method: str,
) -> None:
    lines = [start, *(name + joint + value for name, value in fields), end]
    raw = b"\r\n".join(lines)
    expected = said_by(raw, method)
    assert said_like(raw, known([name for name, _ in fields]), method) in (None, expected)
    assert said_like(raw, known([name for name, _ in others]), method) in (None, expected)


@given(STARTS, FIELDS, JOINTS, st.binary(max_size=9))
def test_a_shape_takes_plain_final_heads_without_tabs_and_nothing_after_them(
    start: bytes, fields: list[tuple[bytes, bytes]], joint: bytes, rest: bytes
) -> None:
    assume(not any(b"\r\n" in value for _, value in fields))
    assume(is_usual([name.lower() for name, _ in fields]))
    raw = b"\r\n".join([start, *(name + joint + value for name, value in fields), b"", b""])
    match = ReplyShape([name for name, _ in fields]).match(raw + rest)
    if (
        PLAIN_REPLY.fullmatch(raw) is not None
        and b"\t" not in raw
        and not start[9:].startswith(b"1")
        and isinstance(said_by(raw, "GET"), tuple)
    ):
        assert match is not None
    if match is not None:
        assert match.end() == len(raw)


@given(FIELDS)
def test_the_pieces_are_the_bytes_but_for_what_ends_here(fields: list[tuple[bytes, bytes]]) -> None:
    assume(is_usual([name.lower() for name, _ in fields]))
    shape = ReplyShape([name for name, _ in fields])
    lines = [b"%b: %b\r\n" % field for field in fields]
    raw = b"HTTP/1.1 200 All right\r\n%b\r\n" % b"".join(lines)
    match = shape.match(raw)
    # A value may be the end of a head.
    assume(match is not None and match.end() == len(raw))
    assert match is not None
    found = match.groups()
    assert (found[STATUS], found[REASON]) == (b"200", b"All right")
    assert shape.pick_values(found) == tuple(value for _, value in fields)
    passing = [line for line, (name, _) in zip(lines, fields, strict=True) if passes(name)]
    assert b"".join(shape.pick_lines(found)) == b"HTTP/1.1 200 All right\r\n" + b"".join(passing)


def passes(name: bytes) -> bool:
    return name.lower() not in ENDING_HERE


def test_only_names_that_come_often_get_a_shape() -> None:
    raw = b"HTTP/1.1 200 OK\r\nX-Seldom: 1\r\nX-Often: 2\r\nContent-Length: 0\r\n\r\n"
    for _ in range(OFTEN - 1):
        assert parse_reply_head(raw, "GET").places.shape is None
    shape = parse_reply_head(raw, "GET").places.shape
    assert shape is not None
    assert parse_reply_head(raw, "GET").places.shape is shape


@pytest.mark.parametrize(
    "names",
    [
        [b"x" * 2000],
        [b"A"] * (MOST_SHAPED_FIELDS + 1),
        [b"Content-Length", b"content-length"],
        [b"Content-Length", b"X-A", b"Transfer-Encoding"],
        [b"Connection", b"connection"],
    ],
)
def test_long_sequences_of_names_and_those_that_may_say_two_things_get_none(
    names: list[bytes],
) -> None:
    places = places_among(names)
    for _ in range(OFTEN + 1):
        places.note_reply()
    assert places.shape is None

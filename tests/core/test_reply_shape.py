"""gateway/core/reply_shape.py: a pattern of its own reads what the general one does, or nothing."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.core.field_places import Places, places_among
from gateway.core.grammar import PLAIN_REPLY, plain_reply_with
from gateway.core.message import ReplyHead
from gateway.core.reply_head import parse_reply_head
from gateway.core.reply_shape import MOST_NAMES, OFTEN, note_reply
from gateway.errors import UpstreamBroken

NAMES = st.sampled_from([b"Date", b"date", b"X-A", b"X.A", b"a+", b"Content-Length", b"$^|*"])
VALUES = st.one_of(
    st.sampled_from([b"", b"1", b"a b", b"a\t b", b" a", b"a ", b"\xff", b"x\r\nX-A: y", b"\n"]),
    st.binary(max_size=6),
)
STARTS = st.sampled_from(
    [
        *(b"HTTP/1.1 200 OK", b"HTTP/1.1 404 ", b"HTTP/1.1 204 No Content", b"HTTP/1.0 200 OK"),
        *(b"HTTP/1.1 200", b"HTTP/1.1 099 x", b"HTTP/1.1 200  OK", b"HTTP/1.1 200 O\xffK"),
    ]
)
FIELDS = st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=5)
JOINTS = st.sampled_from([b": ", b": ", b": ", b":", b":  ", b" : "])


def known(names: list[bytes]) -> Places:
    """Return the places of names that came often enough to have a pattern."""
    places = places_among(names)
    for _ in range(OFTEN):
        note_reply(places)
    assert places.pattern is not None
    return places


def said_by(raw: bytes, like: Places | None) -> object:
    try:
        head = parse_reply_head(raw, "GET", like)
    except UpstreamBroken as error:
        return error.message
    return head.status, head.reason, head.version, head.fields, head.framing, head.places.names


@given(STARTS, FIELDS, FIELDS, JOINTS, st.sampled_from([b"\r\n", b"", b"\n", b"X"]))
def test_a_head_is_read_the_same_whatever_it_is_thought_to_be_like(
    start: bytes,
    fields: list[tuple[bytes, bytes]],
    others: list[tuple[bytes, bytes]],
    joint: bytes,
    end: bytes,
) -> None:
    lines = [start, *(name + joint + value for name, value in fields), end]
    raw = b"\r\n".join(lines)
    expected = said_by(raw, None)
    assert said_by(raw, known([name for name, _ in fields])) == expected
    assert said_by(raw, known([name for name, _ in others])) == expected


@given(STARTS, FIELDS, JOINTS)
def test_a_pattern_takes_only_plain_heads_and_all_of_those_with_its_names(
    start: bytes, fields: list[tuple[bytes, bytes]], joint: bytes
) -> None:
    assume(not any(b"\r\n" in value for _, value in fields))
    raw = b"\r\n".join([start, *(name + joint + value for name, value in fields), b"", b""])
    own = plain_reply_with([name for name, _ in fields]).fullmatch(raw)
    assert (own is not None) == (PLAIN_REPLY.fullmatch(raw) is not None)
    if own is not None:
        assert own.groups()[2:] == tuple(value for _, value in fields)


def test_only_names_that_come_often_get_a_pattern() -> None:
    raw = b"HTTP/1.1 200 OK\r\nX-Seldom: 1\r\nX-Often: 2\r\nContent-Length: 0\r\n\r\n"
    for _ in range(OFTEN - 1):
        assert parse_reply_head(raw, "GET").places.pattern is None
    pattern = parse_reply_head(raw, "GET").places.pattern
    assert pattern is not None
    assert parse_reply_head(raw, "GET").places.pattern is pattern


@pytest.mark.parametrize("names", [[b"x" * 2000], [b"A"] * (MOST_NAMES + 1)])
def test_long_sequences_of_names_get_none(names: list[bytes]) -> None:
    places = places_among(names)
    for _ in range(OFTEN + 1):
        note_reply(places)
    assert places.pattern is None


def test_what_is_like_another_reply_has_its_places() -> None:
    raw = b"HTTP/1.1 200 OK\r\nX-One: 1\r\nContent-Length: 0\r\n\r\n"
    places = known([b"X-One", b"Content-Length"])
    head = parse_reply_head(raw, "GET", places)
    assert isinstance(head, ReplyHead)
    assert head.places is places

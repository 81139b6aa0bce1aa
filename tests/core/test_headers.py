"""gateway/core/headers.py."""

import pytest
from aiohttp.http_parser import SINGLETON_HEADERS
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.headers import (
    HOP_BY_HOP,
    ONCE,
    find_flaw,
    find_repeated,
    hop_by_hop,
    members_of,
    values_of,
)

FIELDS = (
    (b"Via", b"1.0 a, ,1.1 b"),
    (b"X-Other", b"c"),
    (b"VIA", b"\t1.1 D ,"),
    (b"viA", b""),
)


def test_values_come_in_order_whatever_the_case_of_the_name() -> None:
    assert values_of(FIELDS, b"via") == [b"1.0 a, ,1.1 b", b"\t1.1 D ,", b""]
    assert values_of(FIELDS, b"x-other") == [b"c"]
    assert values_of(FIELDS, b"x-none") == []


def test_members_are_folded_and_empty_ones_dropped() -> None:
    assert members_of(FIELDS, b"via") == (b"1.0 a", b"1.1 b", b"1.1 d")
    assert members_of(FIELDS, b"x-none") == ()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (b"", "the name of field 2 is not a token"),
        (b"X-Foo ", "the name of field 2 is not a token"),
        (b" X-Foo", "the name of field 2 is not a token"),
        (b"X-Foo\t", "the name of field 2 is not a token"),
        (b"X:Foo", "the name of field 2 is not a token"),
        (b"X\x00Foo", "the name of field 2 is not a token"),
        (b"X-Foo\r", "the name of field 2 is not a token"),
        (b"X-Foo\n", "the name of field 2 is not a token"),
        (b"X-F\xf6\xf6", "the name of field 2 is not a token"),
        (b'"X-Foo"', "the name of field 2 is not a token"),
    ],
)
def test_a_name_that_is_no_token_is_a_flaw(name: bytes, reason: str) -> None:
    assert find_flaw(((b"Host", b"a"), (name, b"secret"))) == reason


@pytest.mark.parametrize(
    "value",
    [
        *(b"a\x00b", b"a\rb", b"a\nb", b"a\r\n b", b"a\r\n\tb", b"a\r\nX-Bar: c", b"a\x1fb"),
        *(b"a\x7f", b" a", b"a ", b"\ta", b"a\t", b" ", b"\r", b"\n", b"a\n"),
    ],
)
def test_a_value_with_a_control_or_outer_white_space_is_a_flaw(value: bytes) -> None:
    reason = "the value of field X-Foo has a control byte or outer white space"
    assert find_flaw(((b"X-Foo", value),)) == reason


@pytest.mark.parametrize("value", [b"", b"a", b"a b\tc", b"\x80\xff", b'a, b;c="d e"', b"\xc3\xa9"])
def test_a_value_keeps_its_bytes_non_ascii_ones_too(value: bytes) -> None:
    assert find_flaw(((b"X-Foo", value), (b"!#$%&'*+-.^_`|~09azAZ", value))) is None


@given(st.binary(max_size=12), st.binary(max_size=12))
def test_a_flawless_field_has_one_reading_on_the_wire(name: bytes, value: bytes) -> None:
    flaw = find_flaw(((name, value),))
    if flaw is None:
        line = name + b": " + value
        read_name, _, read_value = line.partition(b":")
        assert (read_name, read_value.strip()) == (name, value.strip())
        assert line.splitlines() == [line]
    else:
        assert flaw.isascii()
        assert flaw.isprintable()


def test_a_connection_field_names_what_ends_here() -> None:
    fields = [(b"Connection", b"close, X-Foo"), (b"connection", b"\tX-BAR\t,,")]
    assert hop_by_hop(fields) == HOP_BY_HOP | {b"close", b"x-foo", b"x-bar"}


def test_what_ends_at_any_hop_is_known_without_a_connection_field() -> None:
    assert hop_by_hop([(b"Host", b"a")]) == HOP_BY_HOP
    # RFC 9110 section 7.6.1 and RFC 9112 section 6.1.
    assert {b"te", b"trailer", b"upgrade", b"transfer-encoding", b"keep-alive"} < HOP_BY_HOP


def test_what_is_no_list_is_told_when_it_comes_again() -> None:
    fields = ((b"A", b"1"), (b"ETag", b"2"), (b"a", b"3"), (b"etag", b"2"))
    assert find_repeated(fields) == b"etag"
    assert find_repeated(fields[:3]) is None
    assert find_repeated(fields[:2]) is None


def test_what_may_stand_once_is_what_the_parser_takes_once() -> None:
    others = {"host", "content-length", "transfer-encoding", "user-agent"}
    assert {name.decode() for name in ONCE} | others == SINGLETON_HEADERS

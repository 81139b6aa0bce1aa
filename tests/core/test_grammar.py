"""gateway/core/grammar.py: each production against the RFC's list of bytes, once more."""

import re
import string
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import grammar

ALNUM = string.ascii_letters + string.digits
# RFC 9110 section 5.6.2.
TCHARS = ALNUM + "!#$%&'*+-.^_`|~"
# RFC 1738 section 5: uchar without escapes, and what `search` adds.
SEARCH = ALNUM + "$-_.+" + "!*'()," + ";:@&="


@pytest.mark.parametrize("byte", range(256))
def test_one_byte_at_a_time(byte: int) -> None:
    raw = bytes([byte])
    is_visible = 0x21 <= byte <= 0x7E or byte >= 0x80
    assert bool(grammar.TOKEN.fullmatch(raw)) == (raw in TCHARS.encode())
    assert bool(grammar.FIELD_VALUE.fullmatch(raw)) == is_visible
    assert bool(grammar.FIELD_VALUE.fullmatch(b"a" + raw + b"b")) == (is_visible or raw in b"\t ")
    assert bool(grammar.CONTENT_LENGTH.fullmatch(raw)) == (raw in b"0123456789")
    assert bool(grammar.CHUNK_LINE.fullmatch(raw)) == (raw in b"0123456789abcdefABCDEF")
    assert bool(grammar.MAX_FORWARDS.fullmatch(raw)) == (raw in b"0123456789")
    assert bool(grammar.REQUEST_ID.fullmatch(raw)) == (raw in (ALNUM + "._-").encode())


@pytest.mark.parametrize("byte", range(256))
def test_one_byte_of_a_query_at_a_time(byte: int) -> None:
    raw = bytes([byte])
    assert bool(grammar.BAD_IN_RFC1738_QUERY.search(raw)) == (raw not in SEARCH.encode())
    allowed = (SEARCH + "~/?[]").encode()
    assert bool(grammar.BAD_IN_RINGCENTRAL_QUERY.search(raw)) == (raw not in allowed)
    assert bool(grammar.BAD_IN_ANY_QUERY.search(raw)) == (byte <= 0x20 or raw in b"#\x7f")


@pytest.mark.parametrize(
    "name", ["TOKEN", "FIELD_VALUE", "VERSION", "CONTENT_LENGTH", "AUTHORITY", "CHUNK_LINE"]
)
def test_a_production_does_not_let_a_line_end_slip_by(name: str) -> None:
    pattern: re.Pattern[bytes] = getattr(grammar, name)
    value = b"HTTP/1.1" if name == "VERSION" else b"1"
    assert pattern.fullmatch(value)
    assert not pattern.fullmatch(value + b"\n")
    assert not pattern.fullmatch(value + b"\r")


@pytest.mark.parametrize(
    "version", [b"HTTP/0.9", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/1.10", b"http/1.1", b"HTTP/1.1 ", b""]
)
def test_a_version_is_1_0_or_1_1(version: bytes) -> None:
    assert not grammar.VERSION.fullmatch(version)


def test_a_length_has_at_most_18_digits() -> None:
    assert grammar.CONTENT_LENGTH.fullmatch(b"9" * 18)
    assert not grammar.CONTENT_LENGTH.fullmatch(b"9" * 19)
    assert not grammar.CONTENT_LENGTH.fullmatch("٣".encode())


@pytest.mark.parametrize("value", ["RCMobile/3.6.0", "a", "a/b", "!#$%&'*+-.^_`|~/1"])
def test_a_product_is_one_token_or_two(value: str) -> None:
    assert grammar.PRODUCT.fullmatch(value.encode())


@pytest.mark.parametrize("value", ["", "/1", "a/", "a/b/c", "a b", "a(b)", "a@b"])
def test_a_product_has_no_separators(value: str) -> None:
    assert not grammar.PRODUCT.fullmatch(value.encode())


@given(st.binary())
def test_unescaping_is_what_the_standard_library_does(raw: bytes) -> None:
    assert grammar.unescape(raw) == unquote_to_bytes(raw)


@given(st.text("%0123456789abcdefABCDEFg").map(str.encode))
def test_unescaping_decodes_once(raw: bytes) -> None:
    assert grammar.unescape(raw) == unquote_to_bytes(raw)


@pytest.mark.parametrize(
    ("name", "piece"),
    [
        ("FIELD_VALUE", b" "),
        ("FIELD_VALUE", b"a "),
        ("FIELD_LINE", b"a: "),
        ("STATUS_LINE", b"HTTP/1.1 200 "),
        ("CHUNK_LINE", b"1;a =b "),
        ("CHUNK_LINE", b'1;a="\\"'),
        ("CHUNK_LINE", b" ; a"),
        ("AUTHORITY", b"a."),
        ("ABSOLUTE", b"a+"),
    ],
)
def test_no_production_takes_more_than_linear_time(name: str, piece: bytes) -> None:
    pattern: re.Pattern[bytes] = getattr(grammar, name)
    for text in (piece * 20_000, piece + b" " * 60_000, piece + b"\t" * 60_000):
        assert not pattern.fullmatch(text + b"\x00")

"""What may be shown of a path, a query and a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.target import read_path
from gateway.errors import BadRequest
from gateway.ops.redaction import hides_secret, mask_query, show_path, show_text

SECRET = "s3cr3t-aws80"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (b"/restapi/v1.0/account/~", "/restapi/v1.0/account/~"),
        (b"/restapi/a%2Fb;x=1//c", "/restapi/a%2Fb;x=1//c"),
        (b"/api/auth", "/api/auth"),
        (b"/api/auth/logout/s3cr3t-aws80", "/api/auth/…"),
        (b"/API/%61uth//logout/s3cr3t-aws80", "/api/auth/…"),
        (b"/api/%2561uth/s3cr3t-aws80", "/api/auth/…"),
        (b"/api\\auth\\s3cr3t-aws80", "/api/auth/…"),
        (b"/api/v1/auth/login", "/api/v1/auth/…"),
        (b"/voice/api/v1/admin/token/s3cr3t-aws80", "/voice/api/v1/admin/token/…"),
        (b"/voice/api/v1/admin/token;s3cr3t-aws80", "/voice/api/v1/admin/token/…"),
        (b"/x/password/reset/p/s3cr3t-aws80", "/x/password/reset/…"),
        (b"/x/admin/tokens/5", "/x/admin/tokens/5"),
        (b"/x?s3cr3t-aws80", "/x"),
        (b"/x#s3cr3t-aws80", "/x"),
        (b"http://u:s3cr3t-aws80@h/restapi?s3cr3t-aws80", "/restapi"),
        (b"http://u:s3cr3t-aws80@h", "…"),
        (b"*", "*"),
        (b"s3cr3t-aws80:443", "…"),
        (b"/%25252561pi/auth/s3cr3t-aws80", "/…"),
        (b"/caf\xc3\xa9\x1b[1m\n", "/caf\\xc3\\xa9\\x1b[1m\\x0a"),
        (b"/" + b"a" * 2000, "/" + "a" * 999 + "…"),
    ],
)
def test_a_path_is_shown_up_to_where_its_secret_begins(path: bytes, shown: str) -> None:
    assert show_path(path) == shown
    assert SECRET not in shown


def test_a_hidden_path_says_so_in_a_sentence_too() -> None:
    assert hides_secret(b"nobody owns '/x/%61pi/auth/s3cr3t'")
    assert not hides_secret(b"/api/auth is reserved")
    assert hides_secret(b"/api/auth/logout/x")
    assert not hides_secret(b"/restapi")


@given(st.binary(max_size=80))
def test_any_bytes_show_as_printable_text(path: bytes) -> None:
    assert show_path(path).isprintable()
    assert show_text(path).isprintable()


@given(st.text(max_size=80))
def test_any_text_shows_as_printable_ascii(text: str) -> None:
    assert show_text(text).isprintable()
    assert show_text(text).isascii()


@given(st.lists(st.sampled_from([b"/", b"api", b"%61uth", b"auth", b";", b"%2f", b"\\", b"x"])))
def test_no_spelling_of_a_reserved_path_shows_what_follows(pieces: list[bytes]) -> None:
    path = b"/" + b"".join(pieces) + b"/s3cr3t-aws80"
    if read_path(path).startswith(b"/api/auth/"):
        assert SECRET not in show_path(path)


def test_a_path_without_a_reading_shows_nothing() -> None:
    path = b"/%252525"
    with pytest.raises(BadRequest, match="more than twice"):
        read_path(path + b"61")
    assert show_path(path + b"61") == "/…"


def test_a_long_text_is_cut_with_a_mark() -> None:
    assert show_text("a" * 201) == "a" * 200 + "…"
    assert show_text("a" * 200) == "a" * 200
    assert show_text(b"\xff" * 3, 4) == "\\xff…"
    assert show_text("a" * 9, 8) == "a" * 8 + "…"


def test_text_that_no_encoding_takes_is_shown() -> None:
    assert show_text("a\udce4\u2028é") == "a\\udce4\\u2028\\xe9"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        (b"a=1&access_token=x&b=2", b"a=1&access_token=********&b=2"),
        (b"%61ccess_token=x", b"%61ccess_token=********"),
        (b"rcAccessToken=x&PASSWORD=y=z", b"rcAccessToken=********&PASSWORD=********"),
        (b"token", b"token"),
        (b"pageToken=x&&=", b"pageToken=x&&="),
    ],
)
def test_only_the_values_of_secret_parameters_are_masked(query: bytes, shown: bytes) -> None:
    assert mask_query(query) == shown

"""curl's options, read as curl would."""

import argparse

import pytest

from gateway.cli.curl import add_request_options, join_body, parse_body, parse_field


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    add_request_options(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(
    ("words", "method"),
    [
        (["/x"], None),
        (["-X", "PUT", "/x"], "PUT"),
        (["-XPUT", "/x"], "PUT"),
        (["--request", "PUT", "/x"], "PUT"),
        (["-I", "/x"], "HEAD"),
    ],
)
def test_the_method_is_as_given(words: list[str], method: str | None) -> None:
    assert parse(*words).method == method


def test_fields_keep_their_order_and_their_repetitions() -> None:
    arguments = parse("-H", "b: 1", "--header", "a: 2", "-H", "b: 3", "/x")
    assert arguments.fields == [(b"b", b"1"), (b"a", b"2"), (b"b", b"3")]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("Name: value", (b"Name", b"value")),
        ("Name:value ", (b"Name", b"value")),
        ("Name:", (b"Name", b"")),
        ("Name: a:b  c", (b"Name", b"a:b  c")),
        ("N\udce4me: \udcff", (b"N\xe4me", b"\xff")),
    ],
)
def test_a_field_is_a_name_and_a_value(text: str, field: tuple[bytes, bytes]) -> None:
    assert parse_field(text) == field


@pytest.mark.parametrize("text", ["", "Name", ": value"])
def test_what_is_no_field_is_a_usage_error(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not 'Name: value'"):
        parse_field(text)


def test_bodies_are_joined_as_curl_joins_them() -> None:
    arguments = parse("-d", "a=1", "--data-raw", "@b", "--data-binary", "c", "/x")
    assert join_body(arguments.body) == b"a=1&@b&c"
    assert join_body(None) is None
    assert join_body([b""]) == b""


def test_a_body_in_a_file_is_not_read() -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="paste the body itself"):
        parse_body("@file")


def test_options_about_printing_are_taken_and_ignored() -> None:
    assert parse("-i", "-sS", "--compressed", "/x").target == "/x"

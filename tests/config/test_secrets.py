"""References: what they lead to, why they do not, and that nothing of a secret is shown."""

import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.secrets import Unresolved, describe, parse_reference
from tests.config.loading import reason_of, vectors_of

CASES = vectors_of("config_references")


@pytest.mark.parametrize("case", CASES, ids=lambda case: repr(case["text"]))
def test_a_reference_is_read_or_refused_without_showing_it(case: Mapping[str, Any]) -> None:
    if "refused" in case:
        reason = reason_of(parse_reference, case["text"])
        assert case["refused"] in reason
        assert "s3cr3t" not in reason
        return
    reference = parse_reference(case["text"])
    assert str(reference) == case["shown"]
    assert repr(reference) == f"Reference({case['shown']!r})"


def test_a_variable_is_looked_up_each_time() -> None:
    reference = parse_reference("env:TOKEN")
    assert reference.resolve({"TOKEN": "one"}).reveal() == b"one"
    assert reference.resolve({"TOKEN": "two"}).reveal() == b"two"


def test_a_file_is_read_each_time_without_its_last_newline(tmp_path: Path) -> None:
    path = tmp_path / "token"
    reference = parse_reference(f"file:{path}")
    for content, value in ((b"one\n", b"one"), (b"two\r\n", b"two"), (b"three", b"three")):
        path.write_bytes(content)
        assert reference.resolve({}).reveal() == value


def test_a_literal_is_what_follows_the_colon() -> None:
    assert parse_reference("literal:a:b").resolve({}).reveal() == b"a:b"


def test_a_literal_is_not_serialised() -> None:
    with pytest.raises(TypeError, match="not serialised"):
        pickle.dumps(parse_reference("literal:s3cr3t"))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "the environment variable TOKEN is not set"),
        ("", "variable TOKEN is empty"),
        ("s3cr3t\n", "variable TOKEN has a newline inside; it must be one line"),
        ("s3cr3t\rx", "variable TOKEN has a newline inside; it must be one line"),
        ("s3cr3t\u00fc", "variable TOKEN is not ASCII; it cannot be sent in a header"),
        ("s3cr3t\udcff", "variable TOKEN is not ASCII; it cannot be sent in a header"),
        ("s3cr3t ", "variable TOKEN has a control character, or a space at an end"),
        ("s3cr3t\x00", "variable TOKEN has a control character, or a space at an end"),
    ],
)
def test_a_variable_that_cannot_be_sent_is_refused(value: str | None, reason: str) -> None:
    with pytest.raises(Unresolved) as caught:
        parse_reference("env:TOKEN").resolve({} if value is None else {"TOKEN": value})
    assert str(caught.value) == reason


@pytest.mark.parametrize("value", ["Bearer s3cr3t", "s3cr3t\ts3cr3t", "a  b"])
def test_a_token_has_no_blank_inside_and_another_secret_may(tmp_path: Path, value: str) -> None:
    path = tmp_path / "token"
    path.write_text(f"{value}\n")
    for text, name in (
        ("env:TOKEN", "variable TOKEN"),
        (f"file:{path}", f"file {path}"),
        (f"literal:{value}", "the literal"),
    ):
        reference = parse_reference(text)
        assert reference.resolve({"TOKEN": value}).reveal() == value.encode()
        with pytest.raises(Unresolved) as caught:
            reference.resolve({"TOKEN": value}, is_token=True)
        assert str(caught.value) == (
            f"{name} has a blank inside; write the token alone, without 'Bearer'"
        )


def test_other_characters_of_a_token_are_left_to_the_vendor() -> None:
    visible = "".join(map(chr, range(0x21, 0x7F)))
    reference = parse_reference(f"literal:{visible}")
    assert reference.resolve({}, is_token=True).reveal() == visible.encode()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"s3cr3t\n\n", "has a newline inside; it must be one line"),
        (b"s3cr3t\nx", "has a newline inside; it must be one line"),
        (b"s3cr3t\xff", "is not ASCII; it cannot be sent in a header"),
        (b"x" * 65537, "has more than 65536 bytes; it is no secret"),
    ],
)
def test_a_file_that_cannot_be_sent_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(Unresolved) as caught:
        parse_reference(f"file:{path}").resolve({})
    assert str(caught.value) == f"file {path} {reason}"


def test_a_file_that_is_missing_or_none_is_named(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, reason in (
        (tmp_path / "missing", f"file {tmp_path}/missing does not exist"),
        (tmp_path, f"{tmp_path} is a directory; file: takes a file that holds the secret"),
        (pipe, f"{pipe} is not a regular file; file: takes a file that holds the secret"),
        # Its first page is never mapped, so reading it fails for every user.
        (Path("/proc/self/mem"), "file /proc/self/mem cannot be read: Input/output error"),
    ):
        with pytest.raises(Unresolved) as caught:
            parse_reference(f"file:{path}").resolve({})
        assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (FileNotFoundError(), "does not exist"),
        (IsADirectoryError(), "is a directory"),
        (PermissionError(), "cannot be read: this user may not (permission denied)"),
        (OSError(5, "Input/output error"), "cannot be read: Input/output error"),
    ],
)
def test_each_failure_to_read_has_words_of_its_own(error: OSError, text: str) -> None:
    assert describe(error) == text


@given(st.text())
def test_any_text_is_a_reference_or_refused_and_never_shown(text: str) -> None:
    marked = f"{text}s3cr3t"
    reason = reason_of(parse_reference, marked)
    assert "s3cr3t" not in reason
    if not reason:
        reference = parse_reference(marked)
        assert reference.kind != "literal" or "s3cr3t" not in f"{reference!s}{reference!r}"


@given(st.binary())
def test_any_literal_resolves_to_itself_or_is_refused(value: bytes) -> None:
    text = value.decode("utf-8", "surrogateescape")
    try:
        secret = parse_reference(f"literal:{text}").resolve({})
    except Unresolved:
        return
    assert secret.reveal() == value

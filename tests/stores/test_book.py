"""The file's text: what is written is read as it was, and what was cut is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.stores.book import Book, NoBook, parse_book, render_book
from gateway.stores.store import Entry

COUNTS = st.integers(0, 2**63)
ENTRIES = st.builds(Entry, COUNTS, st.binary())
SECONDS = st.floats(allow_nan=False, allow_infinity=False)
TIMES = st.lists(SECONDS)
BOOKS = st.builds(
    Book,
    st.dictionaries(st.text(), ENTRIES, max_size=4),
    st.dictionaries(st.text(), COUNTS, max_size=4),
    st.dictionaries(st.text(), TIMES, max_size=4),
    st.dictionaries(st.text(), st.tuples(SECONDS, SECONDS), max_size=4),
    st.dictionaries(st.text(), SECONDS, max_size=4),
)
WHOLE = {"format": 1, "entries": {}, "fences": {}, "budgets": {}}


@given(BOOKS)
def test_what_is_written_is_read_as_it_was(book: Book) -> None:
    text = render_book(book)
    assert parse_book(text) == book
    assert render_book(parse_book(text)) == text


@given(BOOKS, st.data())
def test_a_text_that_was_cut_is_refused(book: Book, data: st.DataObject) -> None:
    text = render_book(book)
    # Without the newline at its end it is whole all the same.
    end = data.draw(st.integers(0, len(text) - 2))
    with pytest.raises(NoBook):
        parse_book(text[:end])


@given(st.binary() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps).map(str.encode))
def test_anything_else_is_refused_and_never_raises_another_error(text: bytes) -> None:
    with pytest.raises(NoBook):
        parse_book(text)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": 2}, "another format"),
        ({"entries": None}, "shape"),
        ({"entries": {"k": {"version": 1}}}, "shape"),
        ({"entries": {"k": {"version": 1, "value": "?"}}}, "shape"),
        ({"entries": {"k": {"version": -1, "value": ""}}}, "shape"),
        ({"entries": {"k": {"version": True, "value": ""}}}, "shape"),
        ({"fences": {"k": 1.5}}, "shape"),
        ({"budgets": {"k": [float("inf")]}}, "shape"),
        ({"budgets": {"k": [1]}}, "shape"),
        ({"budgets": {"k": 1.0}}, "shape"),
        ({"doors": {"k": [1.0]}}, "shape"),
        ({"doors": {"k": [1.0, "2"]}}, "shape"),
    ],
)
def test_what_is_not_of_the_shape_is_refused(change: dict[str, object], reason: str) -> None:
    with pytest.raises(NoBook, match=reason):
        parse_book(json.dumps(WHOLE | change).encode())


def test_a_text_nested_without_end_is_refused() -> None:
    with pytest.raises(NoBook):
        parse_book(b"[" * 100_000)


def test_an_entry_is_not_shown_in_a_repr() -> None:
    assert "s3cr3t" not in repr(Book(entries={"key": Entry(1, b"s3cr3t")}))


def test_a_fence_is_above_the_last_one_the_entry_and_the_floor() -> None:
    book = Book(entries={"key": Entry(5, b"")})
    assert book.next_fence("key", 0) == 6
    assert book.next_fence("key", 0) == 7
    assert book.next_fence("key", 41) == 42
    assert book.next_fence("other", 0) == 1


def test_an_older_entry_does_not_replace_a_newer_one() -> None:
    book = Book()
    assert book.write("key", Entry(2, b"2"))
    assert not book.write("key", Entry(1, b"1"))
    assert book.write("key", Entry(2, b"two"))
    assert book.entries == {"key": Entry(2, b"two")}


def test_only_what_has_an_end_is_forgotten_and_only_then() -> None:
    book = Book({key: Entry(1, b"1") for key in "ab"}, {"a": 1, "b": 1})
    assert book.keep("a", 10.0)
    assert not book.keep("c", 10.0)
    # What is written meanwhile goes with it.
    assert book.write("a", Entry(2, b"2"))
    book.forget(9.9)
    assert set(book.entries) == {"a", "b"}
    book.forget(10.0)
    assert book == Book({"b": Entry(1, b"1")}, {"b": 1})

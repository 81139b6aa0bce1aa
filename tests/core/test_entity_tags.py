"""gateway/core/entity_tags.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.entity_tags import names_strong, strengthen, weaken

TAGS = st.from_regex(rb'"[!#-~\x80-\xff]{0,6}"', fullmatch=True)


@given(
    st.lists(st.tuples(TAGS, st.booleans()), min_size=1, max_size=4),
    st.sampled_from([b",", b" , ,"]),
)
def test_what_was_weakened_is_what_it_was_again(
    tags: list[tuple[bytes, bool]], comma: bytes
) -> None:
    sent = comma.join(weaken(tag) if is_weak else tag for tag, is_weak in tags)
    assert strengthen(sent) == comma.join(tag for tag, _ in tags)


@given(TAGS)
def test_a_weak_tag_is_weak_already(tag: bytes) -> None:
    assert weaken(weaken(tag)) == weaken(tag) == b"W/" + tag


@pytest.mark.parametrize(
    "condition",
    [b"", b"*", b'w/"a"', b'W/"a', b'W/"a" "b"', b'W/ "a"', b'x, W/"a"', b'"a b"', b'W/"a";q=1'],
)
def test_what_is_no_list_of_tags_passes(condition: bytes) -> None:
    assert strengthen(condition) == condition


@given(st.binary(max_size=20))
def test_nothing_else_changes_but_by_the_mark_of_weakness(condition: bytes) -> None:
    assert strengthen(condition).replace(b"W/", b"") == condition.replace(b"W/", b"")


def test_the_end_of_a_tag_is_no_beginning_of_another() -> None:
    assert strengthen(b'"aW/", W/"b"') == b'"aW/", "b"'


@pytest.mark.parametrize(
    ("condition", "is_strong"),
    [
        *((b'"a"', True), (b'W/"a"', False), (b'"b", ,"a" ,W/"c"', True)),
        # What is true of both is the weak one.
        (b'"a", W/"a"', False),
        *((b'"b"', None), (b'W/"b"', None), (b"*", None), (b"", None), (b'"a", x', None)),
    ],
)
def test_a_condition_tells_which_form_of_a_tag_its_caller_holds(
    condition: bytes, is_strong: bool | None
) -> None:
    assert names_strong(condition, b'"a"') is is_strong


@given(st.lists(TAGS, min_size=1, max_size=4), st.booleans())
def test_what_a_caller_was_given_is_what_it_names(tags: list[bytes], is_strong: bool) -> None:
    given = [tag if is_strong else weaken(tag) for tag in tags]
    assert all(names_strong(b", ".join(given), tag) is is_strong for tag in tags)


def test_nobody_holds_the_strong_form_of_a_tag_that_was_weak_from_the_first() -> None:
    assert names_strong(b'"a"', b'W/"a"') is None
    assert names_strong(b'W/"a"', b'W/"a"') is None

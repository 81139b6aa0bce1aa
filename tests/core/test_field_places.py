"""gateway/core/field_places.py: what is found is what a walk over the fields finds."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.field_places import places_of
from gateway.core.framing import NO_BODY
from gateway.core.headers import Fields, members_of, values_of
from gateway.core.message import RawHead
from tests.replies import reply_head

NAMES = [b"Connection", b"connection", b"X-A", b"x-a", b"X-B", b"X-" + b"long" * 100]
VALUES = [b"", b"close", b" close , Keep-Alive", b"a,,b", b"\xff"]
lists = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=8).map(tuple)


@given(lists, st.sampled_from([b"connection", b"x-a", b"x-b", b"x-c"]))
def test_a_lookup_finds_what_a_walk_does(fields: Fields, name: bytes) -> None:
    head = reply_head(200, b"OK", b"HTTP/1.1", fields, NO_BODY)
    found = values_of(fields, name)
    assert head.values(name) == found
    assert head.members(name) == members_of(fields, name)
    assert head.first(name) == (found[0] if found else None)
    raw = RawHead(b"GET", b"/", b"HTTP/1.1", fields)
    assert raw.values(name) == replace(raw, places=places_of(fields)).values(name) == found


@given(lists)
def test_names_are_folded_in_their_order(fields: Fields) -> None:
    places = places_of(fields)
    assert places.folded == tuple(name.lower() for name, _ in fields)
    assert sorted(sum(places.by_name.values(), ())) == list(range(len(fields)))


def test_short_sequences_are_remembered_and_long_ones_are_not() -> None:
    short = ((b"Date", b"one"), (b"X-A", b""))
    again = ((b"Date", b"two"), (b"X-A", b"b"))
    assert places_of(short) is places_of(again)
    assert places_of(short).is_remembered
    long = ((b"x" * 1025, b""),)
    assert places_of(long) is not places_of(long)
    assert not places_of(long).is_remembered
    assert not places_of(((b"A", b""),) * 65).is_remembered
    assert places_of(()).by_name == {}

"""gateway/core/codings.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.codings import narrow_codings


@pytest.mark.parametrize(
    ("asked", "narrowed"),
    [
        (b"gzip, deflate, br, zstd", b"gzip"),
        (b"br;q=1.0, GZIP;q=0.5, identity;q=0.1", b"gzip;q=0.5, identity;q=0.1"),
        (b"x-gzip", b"x-gzip"),
        (b"br", b"identity"),
        (b"gzip;q=0, br", b"identity"),
        (b"*", b"gzip"),
        (b"*;q=0.5, br", b"gzip;q=0.5"),
        (b"gzip;q=0.2, *;q=0.9", b"gzip;q=0.2"),
        (b"gzip, *;q=0", b"gzip, *;q=0"),
        (b"gzip,, identity ; q=0", b"gzip, identity ; q=0"),
    ],
)
def test_only_gzip_and_identity_are_left_as_far_as_they_were_allowed(
    asked: bytes, narrowed: bytes
) -> None:
    assert narrow_codings(asked) == narrowed


@pytest.mark.parametrize(
    "asked",
    [b"", b"br, identity;q=0", b"br, *;q=0", b"gzip;q=0, *", b"gzip;q=2, br", b"br;x=1", b"g(z"],
)
def test_what_leaves_nothing_to_ask_for_or_cannot_be_read_passes(asked: bytes) -> None:
    assert narrow_codings(asked) == asked


@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"gzip", b"br", b"*", b"identity", b"deflate"]),
            st.sampled_from([b"", b";q=0", b";q=0.5", b";q=0.000", b"; q=1"]),
        ),
        max_size=4,
    )
)
def test_a_narrow_field_stays_as_it_is(members: list[tuple[bytes, bytes]]) -> None:
    narrowed = narrow_codings(b", ".join(coding + weight for coding, weight in members))
    assert narrow_codings(narrowed) == narrowed

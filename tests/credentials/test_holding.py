import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.secret import Secret
from gateway.credentials.holding import Holding, parse, render, token_of

TOKENS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
TIMES = st.floats(0, 1e11, allow_nan=False)
HELD = Holding(Secret(b"access-1"), 1000.0, 4600.0, "seed", Secret(b"refresh-1"), 9000.0)


@given(TOKENS, TOKENS | st.none(), TIMES, TIMES, TIMES | st.none(), st.text(max_size=40))
def test_what_is_kept_comes_back(
    access: str,
    refresh: str | None,
    obtained: float,
    expires: float,
    ends: float | None,
    seed: str,
) -> None:
    kept = Secret(refresh.encode()) if refresh is not None else None
    holding = Holding(Secret(access.encode()), obtained, expires, seed, kept, ends)
    assert parse(render(holding)) == holding


@given(
    st.binary(max_size=80)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(st.text(max_size=5), deeper),
    ).map(lambda value: json.dumps(value).encode())
)
def test_what_nobody_kept_is_no_holding_and_no_error(record: bytes) -> None:
    assert parse(record) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format", 2),
        ("access", ""),
        ("access", "two words\r\n"),
        ("access", 5),
        ("access", "tökén"),
        ("refresh", ""),
        ("expires_at", "4600"),
        ("expires_at", True),
        ("expires_at", None),
        ("obtained_at", float("inf")),
        ("obtained_at", float("nan")),
        ("expires_at", 10**400),
        ("refresh_expires_at", -(10**400)),
        ("refresh_expires_at", "soon"),
    ],
)
def test_a_record_of_another_shape_is_as_good_as_none(key: str, value: object) -> None:
    record = json.loads(render(HELD))
    assert parse(json.dumps(record | {key: value}).encode()) is None
    del record[key]
    assert parse(json.dumps(record).encode()) is None


def test_a_holding_shows_no_token() -> None:
    assert "access-1" not in repr(HELD)
    assert "refresh-1" not in repr(HELD)


def test_a_refused_token_is_not_shown() -> None:
    with pytest.raises(ValueError, match="not a token") as refused:
        token_of("se cret\n")
    assert "cret" not in str(refused.value)


def test_a_refresh_token_is_tried_until_it_should_have_ended() -> None:
    assert HELD.spendable(8999.0) == HELD.refresh
    assert HELD.spendable(9000.0) is None
    assert Holding(Secret(b"a"), 0.0, 1.0, "", Secret(b"r")).spendable(1e9) == Secret(b"r")
    assert Holding(Secret(b"a"), 0.0, 1.0, "").spendable(0.0) is None


def test_a_life_is_never_negative() -> None:
    assert HELD.lifetime_s == 3600.0
    assert Holding(Secret(b"a"), 10.0, 1.0, "").lifetime_s == 0.0

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulator.engage.jwts import LIFETIME_S, Jwts
from gateway.simulator.pace import Pace


def _claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def test_a_token_says_when_it_is_over() -> None:
    token = Jwts(Pace()).make(0.0, 1000.7)
    assert token.count(".") == 2
    assert "=" not in token
    assert (_claims(token)["iat"], _claims(token)["exp"]) == (1000, 1300)


def test_at_a_time_scale_the_end_has_decimals() -> None:
    assert _claims(Jwts(Pace(600)).make(0.0, 1000.25))["exp"] == 1000.75


def test_a_token_is_good_for_its_time_and_ours_for_ever() -> None:
    jwts = Jwts(Pace())
    token = jwts.make(0.0, 0.0)
    assert jwts.is_good(token, LIFETIME_S - 1)
    assert not jwts.is_good(token, LIFETIME_S)
    jwts.make(LIFETIME_S, 0.0)
    assert jwts.is_ours(token)
    assert not Jwts(Pace()).is_ours(token)


@given(st.text())
def test_whatever_else_comes_is_not_ours(token: str) -> None:
    assert not Jwts(Pace()).is_ours(token)


def test_expiring_leaves_the_chains() -> None:
    jwts = Jwts(Pace())
    token, chain = jwts.make(0.0, 0.0), jwts.make_refresh()
    jwts.expire()
    assert not jwts.is_good(token, 0.0)
    assert jwts.use_refresh(chain)


@pytest.mark.parametrize("others", [0, 99])
def test_a_refresh_token_works_once(others: int) -> None:
    jwts = Jwts(Pace())
    chain = jwts.make_refresh()
    for _ in range(others):
        jwts.make_refresh()
    assert [jwts.use_refresh(chain), jwts.use_refresh(chain)] == [True, False]
    assert not jwts.use_refresh("")


def test_the_oldest_of_a_hundred_chains_makes_room() -> None:
    jwts = Jwts(Pace())
    first, *rest = [jwts.make_refresh() for _ in range(101)]
    assert not jwts.use_refresh(first)
    assert all(jwts.use_refresh(chain) for chain in rest)

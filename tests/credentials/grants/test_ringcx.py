import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.secret import Secret
from gateway.credentials.failures import Outcome, TokenCallFailed
from gateway.credentials.grants.ringcx import RingcxGrant, life_of, read_claims
from gateway.credentials.holding import Holding
from gateway.credentials.tokens import Status, Token
from gateway.errors import CredentialUnavailable
from gateway.stores.memory import MemoryStore
from tests.credentials.desk import Answer, Desk, desk, endpoint_of

EXCHANGE = "/api/auth/login/rc/accesstoken?includeRefresh=true"
PLACE = EXCHANGE.partition("?")[0].encode()
REFRESH = "/api/auth/token/refresh"
DEAD: Answer = (401, {"errorCode": "OAU-213", "message": "Token not found"})
HELD = Holding(Secret(b"old"), 0.0, 300.0, "ringcentral ada", Secret(b"cx-refresh"))


class Source:
    """The RingCentral credential, with the tokens that it has in turn."""

    def __init__(self, *tokens: str, missing: bool = False) -> None:
        self.tokens = list(tokens)
        self.missing = missing
        self.places: list[bytes] = []
        self.acquitted: list[bytes] = []
        self.user = "ada"

    on_use = None

    def ready(self) -> Token | None:
        return None

    async def current(self, deadline: float) -> Token:
        if self.missing:
            raise CredentialUnavailable("none", retry_after_s=7)
        return Token(Secret(self.tokens[0].encode()), len(self.tokens), self.user)

    def refuse(self, token: Token, place: bytes = b"") -> bool:
        self.places.append(place)
        self.tokens.pop(0)
        return bool(self.tokens)

    def acquit(self, place: bytes) -> None:
        self.acquitted.append(place)

    def seed(self) -> str:
        return self.user

    def status(self) -> Status:
        return Status("static")


def jwt_of(**claims: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{payload}.c2ln"


def granted(**claims: Any) -> Answer:
    return 200, {"accessToken": jwt_of(**claims), "refreshToken": "cx-next", "tokenType": "Bearer"}


@asynccontextmanager
async def grant_at(source: Source, *answers: Answer) -> AsyncIterator[tuple[RingcxGrant, Desk]]:
    async with desk(*answers) as service:
        grant = RingcxGrant(endpoint_of(service), source, "ringcentral", lambda: 1000.0)
        yield grant, service
        await grant.close()


async def test_a_ringcentral_token_is_exchanged_in_the_body_of_the_call() -> None:
    async with grant_at(Source("rc-token"), granted(iat=5, exp=305)) as (grant, service):
        holding = await grant.obtain(None, alone=False)
    (call,) = service.calls
    assert call.path == EXCHANGE
    assert call.form == {"rcAccessToken": "rc-token", "rcTokenType": "Bearer"}
    assert b"uthorization" not in call.head
    assert (holding.obtained_at, holding.expires_at) == (1000.0, 1300.0)
    assert holding.refresh == Secret(b"cx-next")


async def test_the_refresh_token_is_used_first() -> None:
    async with grant_at(Source("rc-token"), granted()) as (grant, service):
        await grant.obtain(HELD, alone=False)
    assert [call.path for call in service.calls] == [REFRESH]
    assert service.calls[0].form["refresh_token"] == "cx-refresh"


async def test_a_chain_stays_the_users_with_whom_it_began() -> None:
    source = Source("rc-token")
    async with grant_at(source, granted(), granted(), granted()) as (grant, service):
        exchanged = await grant.obtain(None, alone=False)
        assert exchanged.seed == grant.seed() == "ringcentral ada"
        refreshed = await grant.obtain(exchanged, alone=False)
        source.user = ""
        unknown = await grant.obtain(refreshed, alone=False)
    assert grant.seed() == ""
    assert refreshed.seed == unknown.seed == exchanged.seed
    assert [call.path for call in service.calls] == [EXCHANGE, REFRESH, REFRESH]


async def test_a_chain_that_began_with_another_user_is_not_carried_on() -> None:
    source = Source("rc-token")
    source.user = "bob"
    async with grant_at(source, granted()) as (grant, service):
        holding = await grant.obtain(HELD, alone=False)
    assert holding.seed == "ringcentral bob"
    assert [call.path for call in service.calls] == [EXCHANGE]


async def test_a_refused_refresh_token_falls_back_to_the_exchange() -> None:
    async with grant_at(Source("rc-token"), (401, b"no"), granted()) as (grant, service):
        await grant.obtain(HELD, alone=False)
    assert [call.path for call in service.calls] == [REFRESH, EXCHANGE]


async def test_a_refresh_that_failed_otherwise_costs_no_exchange() -> None:
    async with grant_at(Source("rc-token"), (500, b"")) as (grant, service):
        with pytest.raises(TokenCallFailed):
            await grant.obtain(HELD, alone=False)
    assert [call.path for call in service.calls] == [REFRESH]


async def test_a_refused_ringcentral_token_is_replaced_once() -> None:
    answers: list[Answer] = [DEAD, DEAD]
    source = Source("first", "second")
    async with grant_at(source, *answers) as (grant, service):
        with pytest.raises(TokenCallFailed):
            await grant.obtain(None, alone=False)
    assert [call.form["rcAccessToken"] for call in service.calls] == ["first", "second"]
    assert source.places == source.acquitted == [PLACE]


async def test_the_only_token_is_not_presented_twice() -> None:
    async with grant_at(Source("only"), DEAD) as (grant, service):
        with pytest.raises(TokenCallFailed):
            await grant.obtain(None, alone=False)
    assert len(service.calls) == 1


UNKNOWN_USER = {"errorCode": "access.denied.exception", "generalMessage": "Access is denied"}


async def test_a_401_that_names_no_token_may_speak_of_one_that_is_over() -> None:
    source = Source("over", "good")
    async with grant_at(source, (401, UNKNOWN_USER), granted()) as (grant, service):
        await grant.obtain(None, alone=False)
    assert [call.form["rcAccessToken"] for call in service.calls] == ["over", "good"]
    assert source.acquitted == []


async def test_for_a_user_who_is_not_provisioned_no_token_after_token_is_renewed() -> None:
    source = Source("first", "second", "third", "fourth")
    refused: list[Answer] = [(401, UNKNOWN_USER)] * 6
    async with grant_at(source, *refused) as (grant, service):
        for _ in range(3):
            with pytest.raises(TokenCallFailed, match="answered 401"):
                await grant.obtain(None, alone=False)
        assert source.places == source.acquitted == [PLACE]
        # Its own renewal: whether that one is good, nobody has seen.
        source.tokens = ["renewed", "again"]
        with pytest.raises(TokenCallFailed):
            await grant.obtain(None, alone=False)
    assert [call.form["rcAccessToken"] for call in service.calls[4:]] == ["renewed", "again"]


async def test_a_token_that_was_refused_in_vain_is_renewed_once_the_answer_names_it() -> None:
    source = Source("first", "second", "third")
    async with grant_at(source, (401, UNKNOWN_USER), (401, b""), DEAD, granted()) as (grant, _):
        with pytest.raises(TokenCallFailed):
            await grant.obtain(None, alone=False)
        await grant.obtain(None, alone=False)
    assert source.tokens == ["third"]


async def test_a_403_leaves_the_token_alone() -> None:
    source = Source("good", "unused")
    async with grant_at(source, (403, UNKNOWN_USER)) as (grant, service):
        with pytest.raises(TokenCallFailed):
            await grant.obtain(None, alone=False)
    assert len(service.calls) == 1
    assert source.places == source.acquitted == []


async def test_a_place_is_acquitted_only_when_it_refuses_both_tokens() -> None:
    source = Source("first", "second")
    async with grant_at(source, DEAD, (403, b"no")) as (grant, _):
        with pytest.raises(TokenCallFailed):
            await grant.obtain(None, alone=False)
    assert (len(source.places), source.acquitted) == (1, [])


async def test_a_refused_refresh_token_takes_the_only_call_of_a_window_once() -> None:
    async with desk((401, b"no"), granted()) as service:
        now = [1000.0]
        store = MemoryStore(lambda: now[0])
        endpoint = endpoint_of(service, store, limit=1)
        grant = RingcxGrant(endpoint, Source("rc-token"), "ringcentral", lambda: 1000.0)
        with pytest.raises(TokenCallFailed) as failed:
            await grant.obtain(HELD, alone=False)
        assert failed.value.outcome is Outcome.BUDGET
        now[0] += 61.0
        await grant.obtain(HELD, alone=False)
        await grant.close()
    assert [call.path for call in service.calls] == [REFRESH, EXCHANGE]


async def test_without_a_ringcentral_token_the_wait_is_its_wait() -> None:
    async with grant_at(Source(missing=True)) as (grant, service):
        with pytest.raises(TokenCallFailed, match="credential ringcentral has no token") as failed:
            await grant.obtain(None, alone=False)
    assert (failed.value.outcome, failed.value.retry_after_s) == (Outcome.SOURCE, 7.0)
    assert not service.calls


async def test_an_answer_without_a_token_is_an_error() -> None:
    async with grant_at(Source("rc-token"), (200, {"accessToken": None})) as (grant, _):
        with pytest.raises(TokenCallFailed, match="not usable"):
            await grant.obtain(None, alone=False)


@pytest.mark.parametrize(
    ("claims", "seconds"),
    [
        ({"exp": 1120}, 120),
        ({"iat": 50_000, "exp": 50_000.5}, 0.5),
        ({}, 300),
        ({"exp": "soon"}, 300),
        ({"exp": 1000}, 300),
        ({"exp": 10**9}, 300),
        ({"exp": 1120, "iat": None}, 300),
        ({"exp": 10**400}, 300),
        ({"exp": 1120, "iat": -(10**400)}, 300),
    ],
)
def test_how_long_a_token_lives(claims: dict[str, Any], seconds: float) -> None:
    assert life_of(Secret(jwt_of(**claims).encode()), 1000.0) == seconds


@given(st.binary(min_size=1) | st.text().map(lambda text: f"a.{text}.b".encode()))
def test_whatever_a_token_is_it_has_a_life(token: bytes) -> None:
    assert life_of(Secret(token), 0.0) > 0
    assert isinstance(read_claims(Secret(token)), dict)

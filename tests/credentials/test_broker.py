"""One credential in one process, with a token service on loopback behind it."""

import asyncio
import time
from pathlib import Path

import pytest

from gateway.config.secrets import parse_reference
from gateway.core.secret import Secret
from gateway.credentials.grants.engage_legacy import EngageLegacyGrant
from gateway.credentials.grants.jwt import JwtGrant
from gateway.credentials.grants.oauth import OAuthApp, Vault, Wishes
from gateway.credentials.holding import Holding
from gateway.credentials.tokens import Token
from gateway.errors import CredentialUnavailable
from gateway.stores.memory import MemoryStore
from tests.credentials.brokers import Place, lasting, place
from tests.credentials.desk import Answer, desk, endpoint_of, vault_of
from tests.eventually import eventually


async def test_five_hundred_who_ask_at_once_cost_one_token_call() -> None:
    async with place() as here:
        tokens = await asyncio.gather(*(here.token() for _ in range(500)))
    assert len(here.service.calls) == 1
    assert {(token.generation, token.value.reveal()) for token in tokens} == {(1, b"access-1")}
    assert here.told.changes == [("ours", 1)]
    assert here.told.refreshes == [("obtained", "")]


async def test_opened_it_has_a_token_before_anybody_asks() -> None:
    async with place() as here:
        here.broker.open()
        await here.service.came(1)
        assert (await here.token()).generation == 1
        assert here.broker.ready() == await here.token()
    assert len(here.service.calls) == 1


async def test_what_a_token_descends_from_is_known_before_there_is_one_and_stays() -> None:
    async with place() as here:
        seed = here.broker.seed()
        first = await here.token()
        here.broker._renumber(here.broker._held)
        assert here.broker.refuse(first)
        second = await here.token()
        assert seed == first.seed == second.seed == here.broker.seed() != ""
        # Whose token it is, the session says, and not the secret that a next one would have.
        here.broker._token = Token(second.value, 2, "another's")
        assert here.broker.seed() == "another's"


async def test_a_token_is_renewed_before_it_dies_and_nobody_waits_for_that() -> None:
    async with place(lasting(2)) as here:
        first = await here.token()
        here.service.open.clear()
        await here.service.came(2)
        assert here.broker.ready() == first
        here.service.open.set()
        await eventually(lambda: here.broker.ready() not in (first, None))
        assert (await here.token()).generation == 2
    assert here.service.calls[1].form["grant_type"] == "refresh_token"


async def test_a_refused_token_is_renewed_once_however_many_requests_it_hit() -> None:
    async with place() as here:
        old = await here.token()
        assert all(here.broker.refuse(old) for _ in range(100))
        tokens = await asyncio.gather(*(here.token() for _ in range(100)))
        assert {token.generation for token in tokens} == {2}
        assert here.broker.refuse(old)
        assert (await here.token()).generation == 2
    assert len(here.service.calls) == 2


async def test_a_token_that_is_refused_again_and_again_is_not_renewed_for_ever() -> None:
    async with place(reissues=2) as here:
        for _ in range(2):
            assert here.broker.refuse(await here.token())
        last = await here.token()
        assert not here.broker.refuse(last)
        assert not here.broker.refuse(last)
        assert here.broker.ready() == last
        status = here.broker.status()
    assert len(here.service.calls) == 3
    assert (status.outcome, status.retry_at is not None) == ("budget", True)
    assert "not renewed more than 2 times within 60 s" in status.reason
    assert here.told.refreshes[3:] == [("budget", status.reason)]


async def test_a_refusal_counts_also_while_the_store_is_told_something() -> None:
    async with place(reissues=1) as here:
        for is_renewed in (True, False):
            token = await here.token()
            # What comes every ten seconds; it is no renewal.
            here.broker._on_timer()
            assert here.broker.refuse(token) is is_renewed
    assert len(here.service.calls) == 2


async def test_a_place_that_refuses_fresh_tokens_leaves_renewals_for_a_token_that_dies() -> None:
    async with place() as here:
        assert here.broker.refuse(await here.token(), b"/odd")
        fresh = await here.token()
        here.broker.acquit(b"/odd")
        assert not any(here.broker.refuse(fresh, b"/odd") for _ in range(100))
        assert here.broker.ready() == fresh
        assert here.broker.refuse(fresh, b"/other")
        assert (await here.token()).generation == 3
    assert len(here.service.calls) == 3


async def test_who_cannot_wait_longer_is_told_so() -> None:
    async with place("silence") as here:
        refusal = await here.refusal(within_s=0.05)
        assert "came in time" in refusal.message
        assert (refusal.status, refusal.code) == (503, "credential-unavailable")


async def test_a_failure_is_told_at_once_with_the_exact_wait() -> None:
    async with place((429, {}, "Retry-After: 30")) as here:
        first = await here.refusal()
        again = await here.refusal()
        status = here.broker.status()
    assert (first.retry_after_s, again.retry_after_s) == (30, 30)
    assert "answered 429" in again.message
    assert len(here.service.calls) == 1
    assert status.outcome == "throttled"
    assert status.retry_at is not None
    assert 29 < status.retry_at - time.time() <= 30
    assert here.told.refreshes[0][0] == "throttled"


async def test_a_rejection_is_not_repeated_until_a_secret_changes(tmp_path: Path) -> None:
    jwt = tmp_path / "jwt"
    jwt.write_text("old.jwt.x")
    references = {
        "client_id": parse_reference("literal:id"),
        "jwt": parse_reference(f"file:{jwt}"),
    }
    async with place((400, {"error": "invalid_grant"}), vault=Vault(references, {})) as here:
        assert (await here.refusal()).retry_after_s == 60
        assert "invalid_grant" in (await here.refusal()).message
        assert here.broker.status().retry_at is None
        jwt.write_text("new.jwt.x")
        async with asyncio.timeout(10):
            while len(here.service.calls) == 1:
                try:
                    await here.token()
                except CredentialUnavailable:
                    await asyncio.sleep(0.01)
    assert [call.form["assertion"] for call in here.service.calls] == ["old.jwt.x", "new.jwt.x"]


async def test_an_error_is_tried_again_in_the_background() -> None:
    async with place((500, {}), "cut", retry_s=0.05) as here:
        assert (await here.refusal()).retry_after_s == 1
        await here.service.came(3)
        assert (await here.token()).value == Secret(b"access-3")


async def test_while_the_token_lives_a_failed_renewal_hurts_nobody() -> None:
    async with place(lasting(2), (500, {})) as here:
        token = await here.token()
        await here.service.came(2)
        await eventually(lambda: here.broker.status().outcome == "error")
        assert here.broker.ready() == token


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ((400, {"error": "invalid_grant"}), "rejected"),
        ((429, {}, "Retry-After: 900"), "throttled"),
        ((500, {}), "error"),
    ],
)
async def test_while_no_other_token_can_be_had_one_place_takes_it_from_nobody(
    answer: Answer, outcome: str
) -> None:
    async with place(lasting(3600), answer, answer) as here:
        token = await here.token()
        here.broker._life.renew_at = 0.0
        here.broker._flight.begin()
        await eventually(lambda: here.broker.status().outcome == outcome)
        calls = len(here.service.calls)
        assert not any(here.broker.refuse(token, b"/odd") for _ in range(100))
        assert await here.token() == token
    assert len(here.service.calls) == calls


async def test_a_token_that_was_sent_on_is_given_up_as_soon_as_another_one_can_be_had() -> None:
    async with place(lasting(3600), (500, {})) as here:
        token = await here.token()
        here.broker._life.renew_at = 0.0
        here.broker._flight.begin()
        await eventually(lambda: here.broker.status().outcome == "error")
        assert not here.broker.refuse(token)
        # What follows when the wait is over, and nobody was refused meanwhile.
        here.broker._means.setbacks.forget()
        assert here.broker.refuse(token)
        assert (await here.token()).value != token.value


async def test_a_renewal_that_fails_by_a_bug_wakes_everybody_and_says_nothing() -> None:
    class Broken(JwtGrant):
        async def obtain(self, held: Holding | None, *, alone: bool) -> Holding:
            raise ZeroDivisionError("precious")

    async with desk() as service:
        store = MemoryStore()
        app = OAuthApp(endpoint_of(service, store), vault_of(jwt="j"), Wishes("e"), time.time)
        here = Place(service, store, Broken(app), 4, 10.0)
        with pytest.raises(ZeroDivisionError):
            await here.token()
        assert "precious" not in (await here.refusal()).message
        await here.broker.close()


async def test_a_token_call_under_way_is_waited_for_at_the_end() -> None:
    store = MemoryStore()
    async with place(store=store) as here:
        here.service.open.clear()
        here.broker.open()
        await here.service.came(1)
        closing = asyncio.create_task(here.broker.close())
        await asyncio.sleep(0)
        here.service.open.set()
        await closing
        assert await store.read(here.record) is not None


async def test_after_the_end_nothing_is_asked() -> None:
    async with place() as here:
        await here.broker.close()
        assert "shutting down" in (await here.refusal()).message
    assert not here.service.calls


async def test_use_keeps_a_sliding_token_and_nothing_renews_it_early() -> None:
    async with desk((200, {"authToken": "one"}), (200, {"authToken": "two"})) as service:
        store = MemoryStore()
        grant = EngageLegacyGrant(
            endpoint_of(service, store),
            vault_of(username="u", password="p"),
            time.time,
            stay_logged_in=False,
            lifetime_s=1.0,
        )
        here = Place(service, store, grant, 4, 10.0)
        first = await here.token()
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            token = here.broker.ready()
            assert token is not None
            assert token.value == first.value
            assert here.broker.on_use is not None
            here.broker.on_use()
            await asyncio.sleep(0.01)
        assert len(service.calls) == 1
        await asyncio.sleep(1.1)
        assert here.broker.ready() is None
        assert (await here.token()).value == Secret(b"two")
        await here.broker.close()

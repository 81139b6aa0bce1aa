"""Several brokers with one store: penalties and rejections are one gateway's news to all."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config.secrets import parse_reference
from gateway.core.secret import Secret
from gateway.credentials.endpoint import TokenEndpoint
from gateway.credentials.grants.oauth import OAuthApp, Vault, Wishes
from gateway.credentials.grants.refresh import RefreshGrant
from gateway.credentials.holding import Holding, render
from gateway.stores.memory import MemoryStore
from gateway.stores.store import Entry
from tests.credentials.brokers import Place, jwt_grant, place
from tests.credentials.desk import Answer, Call, desk, endpoint_of, vault_of
from tests.credentials.test_broker_store import Downable
from tests.eventually import eventually


async def test_one_429_is_heeded_by_the_whole_fleet() -> None:
    store = MemoryStore()
    async with desk((429, {}, "Retry-After: 0.4")) as service:
        fleet = [Place(service, store, jwt_grant(service, store), 4, 10.0) for _ in range(4)]
        for here in fleet:
            assert "come back" not in (await here.refusal()).message
        assert len(service.calls) == 1
        await eventually(lambda: all(here.broker.ready() is not None for here in fleet))
        assert len(service.calls) == 2
        for here in fleet:
            await here.broker.close()


async def test_whoever_was_rejected_takes_what_another_one_obtained() -> None:
    store = MemoryStore()
    async with place((400, {"error": "invalid_grant"}), store=store) as here:
        here.broker._means.look_every_s = 0.02
        await here.refusal()
        now = time.time()
        seed = here.broker._renewal.grant.seed()
        good = Holding(Secret(b"of-another"), now, now + 3600, seed)
        store.write(here.record, Entry(9, render(good)))
        await eventually(lambda: here.broker.ready() is not None)
        assert (await here.token()).value == Secret(b"of-another")
    assert len(here.service.calls) == 1


def refresh_grant(endpoint: TokenEndpoint, vault: Vault) -> RefreshGrant:
    return RefreshGrant(OAuthApp(endpoint, vault, Wishes("e"), time.time))


async def test_a_stored_chain_is_carried_on_without_a_configured_token() -> None:
    store = MemoryStore()
    async with desk() as service:
        first = vault_of(client_id="id", refresh_token="first")
        here = Place(service, store, refresh_grant(endpoint_of(service, store), first), 4, 10.0)
        assert (await here.token()).value == Secret(b"access-1")
        await here.broker.close()
        later = vault_of(client_id="id")
        again = Place(service, store, refresh_grant(endpoint_of(service, store), later), 4, 10.0)
        token = await again.token()
        assert token.value == Secret(b"access-1")
        assert again.broker.refuse(token)
        assert (await again.token()).value == Secret(b"access-2")
        await again.broker.close()
    assert [call.form["refresh_token"] for call in service.calls] == ["first", "refresh-1"]


def single_use() -> Callable[[Call, int], Answer]:
    """Return a vendor that takes a refresh token once; two chains have been begun elsewhere."""
    good = {"old-0", "new-0"}

    def answer(call: Call, _number: int) -> Answer:
        presented = call.form["refresh_token"]
        if presented not in good:
            return 400, {"error": "invalid_grant"}
        chain, number = presented.split("-")
        fresh = f"{chain}-{int(number) + 1}"
        good.symmetric_difference_update({presented, fresh})
        return 200, {"access_token": f"access-{fresh}", "refresh_token": fresh}

    return answer


async def test_a_fleet_is_given_a_new_refresh_token_one_gateway_after_the_other() -> None:
    store = MemoryStore()
    async with desk() as service:
        service.default = single_use()

        def gateway(**secrets: str) -> Place:
            vault = vault_of(client_id="id", **secrets)
            return Place(service, store, refresh_grant(endpoint_of(service, store), vault), 4, 10.0)

        async def renewed(here: Place) -> bytes:
            here.broker.refuse(await here.token())
            return (await here.token()).value.reveal()

        old, new = gateway(refresh_token="old-0"), gateway(refresh_token="new-0")
        assert await renewed(old) == b"access-old-2"
        assert await renewed(new) == b"access-new-2"
        assert await renewed(old) == b"access-old-3"
        await new.broker.close()
        await old.broker.close()
        for again, token in (
            (gateway(refresh_token="new-0"), b"access-new-3"),
            (gateway(refresh_token="old-0"), b"access-old-4"),
            (gateway(), b"access-new-4"),
        ):
            assert await renewed(again) == token
            await again.broker.close()


async def test_a_secret_that_cannot_be_read_does_not_cost_the_chain(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first")
    references = {
        "client_id": parse_reference("literal:id"),
        "refresh_token": parse_reference(f"file:{file}"),
    }
    store = MemoryStore()
    async with desk() as service:
        grant = refresh_grant(endpoint_of(service, store), Vault(references, {}))
        here = Place(service, store, grant, 4, 10.0)
        token = await here.token()
        file.unlink()
        assert here.broker.refuse(token)
        assert (await here.token()).value == Secret(b"access-2")
        await here.broker.close()


@pytest.mark.parametrize("refused", [(400, {"error": "invalid_grant"})])
async def test_a_refresh_that_another_one_has_spent_meanwhile_is_no_loss(refused: Answer) -> None:
    store = MemoryStore()
    async with place() as here:
        first = await here.token()
        here.store = store
    async with desk() as service:
        slow = Place(service, store, jwt_grant(service, store), 4, 10.0)
        now = time.time()
        seed = slow.broker._renewal.grant.seed()
        held = Holding(Secret(b"old"), now, now + 3600, seed, Secret(b"r0"))
        store.write(slow.record, Entry(1, render(held)))
        token = await slow.token()
        assert token.value == Secret(b"old") != first.value

        def overtake(_call: Call, _number: int) -> Answer:
            newer = Holding(Secret(b"newer"), now, now + 3600, seed, Secret(b"r1"))
            store.write(slow.record, Entry(50, render(newer)))
            return refused

        service.default = overtake
        assert slow.broker.refuse(token)
        assert (await slow.token()).value == Secret(b"newer")
        await slow.broker.close()


async def test_who_waits_for_a_store_asks_by_itself_once_the_token_is_refused() -> None:
    store = Downable()
    async with place(store=store) as here:
        token = await here.token()
        store.is_down = True
        here.broker._life.renew_at = 0.0
        here.broker._flight.begin()
        await eventually(lambda: here.broker.status().outcome == "store")
        assert here.broker.ready() == token
        assert here.broker.refuse(token)
        newer = await here.token()
    assert newer.generation > token.generation

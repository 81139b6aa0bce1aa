"""What is done when the vendor says no to a chain that somebody else may have carried on."""

import asyncio
from collections.abc import Callable

import pytest

from gateway.core.secret import Secret
from gateway.credentials.chains import name_of
from gateway.credentials.failures import Outcome, TokenCallFailed
from gateway.credentials.grant import Grant
from gateway.credentials.holding import Holding, render
from gateway.credentials.renewal import NOTHING, Held, Renewal
from gateway.stores.memory import MemoryStore
from gateway.stores.store import Entry, StoreDown
from tests.credentials.brokers import Place, jwt_grant
from tests.credentials.desk import Answer, Call, Desk, desk, endpoint_of, pair, vault_of
from tests.credentials.test_broker_fleet import refresh_grant
from tests.credentials.test_broker_store import Downable
from tests.credentials.test_renewal import OURS, holding_of
from tests.eventually import eventually

Make = Callable[[Desk, MemoryStore], Grant]


def carrying_on(service: Desk, store: MemoryStore) -> Grant:
    vault = vault_of(client_id="id", refresh_token="configured")
    return refresh_grant(endpoint_of(service, store), vault)


def logging_in(service: Desk, store: MemoryStore) -> Grant:
    return jwt_grant(service, store, vault_of(client_id="id", jwt="configured"))


BOTH = pytest.mark.parametrize("make", [carrying_on, logging_in])


class Chain:
    """A renewal whose chain has the pair 1 of a dead token; `meanwhile` runs as it is refused."""

    def __init__(self, service: Desk, store: MemoryStore, make: Make) -> None:
        self.service = service
        self.store = store
        self.grant = make(service, store)
        self.renewal = Renewal(OURS, self.grant, store, lambda: 1500.0)
        self.key = name_of(OURS, self.grant.seed())
        self.meanwhile: Callable[[], object] = lambda: None
        service.default = self._answer
        self.held = Held(3, self.pair(1, expires_at=1400.0))
        self.write(self.held)

    def pair(self, number: int, expires_at: float = 2000.0) -> Holding:
        return holding_of(number, self.grant.seed(), expires_at)

    def write(self, held: Held) -> None:
        """Write a pair as another process does that has a lease."""
        assert held.holding is not None
        self.store.write(self.key, Entry(held.generation, render(held.holding)))
        self.store._fences[self.key] = held.generation

    def presented(self) -> list[str]:
        forms = [call.form for call in self.service.calls]
        return [form.get("refresh_token") or form["assertion"] for form in forms]

    def _answer(self, call: Call, number: int) -> Answer:
        if call.form.get("refresh_token") == "r1":
            self.meanwhile()
            return 400, {"error": "invalid_grant"}
        return pair(call, number)


@BOTH
async def test_a_newer_pair_is_taken_before_what_is_configured_is_presented(make: Make) -> None:
    async with desk() as service:
        chain = Chain(service, MemoryStore(), make)
        newer = Held(50, chain.pair(2))
        chain.meanwhile = lambda: chain.write(newer)
        found = await chain.renewal.renew(chain.held)
        await chain.grant.close()
    assert (found.generation, found.holding, found.adopted) == (50, newer.holding, True)
    assert chain.presented() == ["r1"]


@BOTH
async def test_a_newer_pair_whose_token_has_died_is_carried_on(make: Make) -> None:
    async with desk() as service:
        chain = Chain(service, MemoryStore(), make)
        chain.meanwhile = lambda: chain.write(Held(50, chain.pair(2, expires_at=1400.0)))
        obtained = await chain.renewal.renew(chain.held)
        await chain.grant.close()
    assert chain.presented() == ["r1", "r2"]
    assert obtained.holding is not None
    assert obtained.holding.access == Secret(b"access-2")
    assert obtained.generation > 50


@BOTH
async def test_who_stood_still_past_the_lease_waits_for_whoever_has_it_now(make: Make) -> None:
    async with desk() as service:
        store = MemoryStore()
        chain = Chain(service, store, make)
        service.open.clear()
        renewing = asyncio.create_task(chain.renewal.renew(chain.held))
        await service.came(1)
        ours = store._held[chain.key]
        ours.is_lost = True
        await ours.release()
        others = await store.lease(chain.key)
        assert others is not None
        service.open.set()
        await eventually(lambda: chain.key in store._bells or len(service.calls) > 1)
        await others.write(render(chain.pair(2)))
        await others.release()
        assert (await renewing).holding == chain.pair(2)
        await chain.grant.close()
    assert chain.presented() == ["r1"]


@BOTH
async def test_when_nobody_has_a_newer_pair_what_is_configured_is_presented_once(
    make: Make,
) -> None:
    async with desk() as service:
        chain = Chain(service, MemoryStore(), make)
        obtained = await chain.renewal.renew(chain.held)
        await chain.grant.close()
        assert await chain.renewal.read() == Held(
            obtained.generation, obtained.holding, adopted=True
        )
    assert chain.presented() == ["r1", "configured"]


async def test_a_token_that_is_good_once_waits_for_a_store_that_cannot_be_looked_at() -> None:
    async with desk() as service:
        store = Downable()
        chain = Chain(service, store, carrying_on)
        chain.meanwhile = lambda: setattr(store, "is_down", True)
        for renew in (chain.renewal.renew, chain.renewal.renew_alone):
            with pytest.raises(TokenCallFailed) as failed:
                await renew(chain.held)
            assert (failed.value.outcome, failed.value.retry_after_s) == (Outcome.STORE, 2.0)
        assert not chain.renewal.may_go_alone(chain.held)
        assert chain.renewal.may_go_alone(Held(4, chain.pair(2)))
        assert chain.renewal.may_go_alone(Held(1, holding_of(1, "another chain")))
        assert chain.presented() == ["r1"]
        store.is_down = False
        obtained = await chain.renewal.renew(chain.held)
        await chain.grant.close()
    assert chain.presented() == ["r1", "configured"]
    assert chain.renewal.may_go_alone(obtained)


async def test_a_jwt_begins_a_session_of_its_own_while_the_store_cannot_be_looked_at() -> None:
    async with desk() as service:
        store = Downable()
        chain = Chain(service, store, logging_in)
        chain.meanwhile = lambda: setattr(store, "is_down", True)
        await chain.renewal.renew(chain.held)
        assert not chain.renewal.is_saved
        await chain.renewal.renew_alone(chain.held)
        await chain.grant.close()
    assert chain.presented() == ["r1", "configured", "configured"]
    assert all(call.form["endpoint_id"] != "gateway-1" for call in service.calls[1:])


async def test_a_refusal_stands_when_nothing_else_is_configured_and_the_store_is_away() -> None:
    async with desk() as service:
        store = Downable()

        def refuse(_call: Call, _number: int) -> Answer:
            store.is_down = True
            return 400, {"error": "invalid_grant"}

        service.default = refuse
        grant = logging_in(service, store)
        with pytest.raises(TokenCallFailed, match="invalid_grant"):
            await Renewal(OURS, grant, store, lambda: 1500.0).renew(NOTHING)
        await grant.close()
    assert len(service.calls) == 1


async def test_a_chain_that_is_over_while_the_store_is_away_is_told_at_once() -> None:
    async with desk() as service:
        store = Downable()
        here = Place(service, store, carrying_on(service, store), 4, 10.0)
        token = await here.token()
        store.is_down = True
        service.answers = [(400, {"error": "invalid_grant"})]
        assert here.broker.refuse(token)
        for _ in range(3):
            refused = await here.refusal()
            assert "the store that has the newest refresh token is away" in refused.message
        assert len(service.calls) == 2
        store.is_down = False
        await eventually(lambda: here.broker.ready() is not None)
        await here.broker.close()
    presented = [call.form["refresh_token"] for call in service.calls]
    assert presented == ["configured", "refresh-1", "configured"]


class Leaving(Downable):
    """A store that is down after so many more reads of what it has."""

    reads_left = 1000

    async def read(self, key: str) -> Entry | None:
        entry = await super().read(key)
        self.reads_left -= 1
        self.is_down = self.reads_left <= 0
        return entry


async def test_what_is_configured_is_not_presented_unseen_after_a_newer_pair_was_seen() -> None:
    async with desk() as service:
        store = Leaving()
        chain = Chain(service, store, carrying_on)

        def meanwhile() -> None:
            chain.write(Held(50, chain.pair(2, expires_at=1400.0)))
            # One to take it, and one to tell that it is newer.
            store.reads_left = 2

        chain.meanwhile = meanwhile
        with pytest.raises(StoreDown):
            await chain.renewal.renew(chain.held)
        with pytest.raises(TokenCallFailed, match="the newest refresh token is away"):
            await chain.renewal.renew_alone(chain.held)
        assert chain.presented() == ["r1"]
        store.reads_left, store.is_down = 1000, False
        await chain.renewal.renew(chain.held)
        await chain.grant.close()
    assert chain.presented() == ["r1", "r2"]

"""A broker that has its tokens by other means from now on: what it holds goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.config.secrets import parse_reference
from gateway.core.secret import Secret
from gateway.credentials.grant import Grant
from gateway.credentials.grants.oauth import Vault
from gateway.credentials.means import Means
from gateway.credentials.setbacks import Setbacks
from gateway.stores.memory import MemoryStore
from tests.credentials.brokers import KEY, Place, jwt_grant
from tests.credentials.desk import Answer, Desk, desk, endpoint_of, vault_of
from tests.credentials.test_broker_fleet import refresh_grant
from tests.credentials.test_broker_store import Downable
from tests.eventually import eventually


def grant_at(service: Desk, store: MemoryStore, first: str = "first") -> Grant:
    return refresh_grant(endpoint_of(service, store), vault_of(client_id="id", refresh_token=first))


def means_of(grant: Grant) -> Means:
    return Means(grant, Setbacks(10.0, 60.0), reissues=4, window_s=60.0)


@asynccontextmanager
async def chain(*answers: Answer | str) -> AsyncIterator[Place]:
    """Run a broker whose store can be taken down."""
    store = Downable()
    async with desk(*answers) as service:
        here = Place(service, store, grant_at(service, store), 4, 10.0)
        yield here
        await here.broker.close()


def presented(service: Desk) -> list[str]:
    return [call.form["refresh_token"] for call in service.calls]


async def test_what_is_being_obtained_when_the_means_change_is_used_and_carried_on() -> None:
    async with chain() as here, desk() as other:
        first = await here.token()
        assert isinstance(here.store, Downable)
        here.store.is_down = True
        here.service.open.clear()
        assert here.broker.refuse(first)
        await here.service.came(2)
        here.broker.change(means_of(grant_at(other, here.store)))
        here.service.open.set()
        second = await here.token()
        assert second.value == Secret(b"access-2")
        assert here.broker.refuse(second)
        assert (await here.token()).value == Secret(b"access-1")
        assert here.told.refreshes == [("obtained", "")] * 3
    assert presented(here.service) == ["first", "refresh-1"]
    assert presented(other) == ["refresh-2"]


async def test_the_token_that_lives_is_given_without_a_wait() -> None:
    async with chain() as here, desk() as other:
        token = await here.token()
        here.broker.change(means_of(grant_at(other, here.store)))
        assert here.broker.ready() == token
        await here.token()
    assert presented(other) == []


async def test_a_failure_of_the_former_means_does_not_hold_the_next_ones_off() -> None:
    async with chain((500, {})) as here, desk() as other:
        here.service.open.clear()
        asking = asyncio.create_task(here.token())
        await here.service.came(1)
        here.broker.change(means_of(grant_at(other, here.store)))
        here.service.open.set()
        assert (await asking).value == Secret(b"access-1")
    assert (presented(here.service), presented(other)) == (["first"], ["first"])


async def test_a_failure_of_the_next_means_counts_though_what_failed_had_begun_before(
    tmp_path: Path,
) -> None:
    file = tmp_path / "secret"
    file.write_text("wrong")
    texts = {"client_id": "literal:id", "client_secret": f"file:{file}", "jwt": "literal:first"}
    vault = Vault({key: parse_reference(text) for key, text in texts.items()}, {})
    store, refused = MemoryStore(), (400, {"error": "invalid_client"})
    async with desk() as service, desk(refused) as other:
        former = jwt_grant(service, store, vault_of(client_id="id", jwt="first"))
        here = Place(service, store, former, 4, 10.0)
        lease = await store.lease(here.record)
        assert lease is not None
        asking = asyncio.create_task(here.refusal())
        await eventually(lambda: here.record in store._bells)
        here.broker.change(means_of(jwt_grant(other, store, vault)))
        await lease.release()
        assert "invalid_client" in (await asking).message
        assert (len(service.calls), len(other.calls)) == (0, 1)
        file.write_text("right")
        await eventually(lambda: here.broker._hold_off() is None)
        assert (await here.token()).value == Secret(b"access-2")
        await here.broker.close()


async def test_a_setback_is_forgotten_with_the_means_that_it_came_from() -> None:
    async with chain((400, {"error": "invalid_client"})) as here, desk() as other:
        assert "invalid_client" in (await here.refusal()).message
        here.broker.change(means_of(grant_at(other, here.store)))
        assert (await here.token()).value == Secret(b"access-1")


async def test_the_former_grant_is_closed_once_its_call_has_ended() -> None:
    async with chain() as here, desk() as other:
        here.service.open.clear()
        former = here.broker._renewal.grant
        asking = asyncio.create_task(here.token())
        await here.service.came(1)
        here.broker.change(means_of(grant_at(other, here.store)))
        assert here.broker._former == [former]
        closing = asyncio.create_task(here.broker.close())
        here.service.open.set()
        await asking
        await closing
        assert here.broker._former == []
    assert presented(other) == []


async def test_what_descends_from_a_secret_that_was_replaced_meanwhile_is_over(
    tmp_path: Path,
) -> None:
    file = tmp_path / "jwt"
    file.write_text("one")
    store = MemoryStore()
    references = {"client_id": "literal:id", "jwt": f"file:{file}"}
    vault = Vault({key: parse_reference(text) for key, text in references.items()}, {})
    async with desk() as service:
        here = Place(service, store, jwt_grant(service, store, vault), 4, 10.0)
        service.open.clear()
        here.broker.open()
        await service.came(1)
        file.write_text("two")
        here.broker.change(means_of(jwt_grant(service, store, vault)))
        service.open.set()
        await service.came(2)
        assert (await here.token()).value == Secret(b"access-2")
        await here.broker.close()
    assert [call.form["assertion"] for call in service.calls] == ["one", "two"]


async def test_only_the_same_chain_in_the_same_place_is_carried_on() -> None:
    async with chain() as here:
        service, store, broker = here.service, here.store, here.broker
        same, other = (grant_at(service, store, first) for first in ("first", "other"))
        none = refresh_grant(endpoint_of(service, store), vault_of(client_id="id"))
        for _ in range(2):
            assert [broker.carries_on(KEY, grant) for grant in (same, none, other)] == [
                True,
                True,
                False,
            ]
            assert not broker.carries_on("token:ours:2", same)
            await here.token()

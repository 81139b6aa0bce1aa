"""Tokens that live while they are used: what the processes of a fleet tell each other."""

import asyncio
import time

from gateway.core.secret import Secret
from gateway.credentials.grants.engage_legacy import EngageLegacyGrant
from gateway.errors import CredentialUnavailable
from gateway.stores.memory import MemoryStore
from tests.credentials.brokers import Place
from tests.credentials.desk import Desk, desk, endpoint_of, vault_of


def made(service: Desk, store: MemoryStore, lifetime_s: float = 2.0) -> Place:
    vault = vault_of(username="u", password="p")
    grant = EngageLegacyGrant(
        endpoint_of(service, store), vault, time.time, stay_logged_in=False, lifetime_s=lifetime_s
    )
    return Place(service, store, grant, 4, 10.0)


def use(here: Place) -> None:
    """Do as a request whose answer shows that its token was taken."""
    assert here.broker.on_use is not None
    here.broker.on_use()


async def test_a_token_lives_for_no_longer_because_somebody_wanted_it() -> None:
    async with desk((200, {"authToken": "one"}), (200, {"authToken": "two"})) as service:
        here = made(service, MemoryStore(), 0.5)
        assert (await here.token()).value == Secret(b"one")
        end = here.broker._life.dies_at
        while (token := here.broker.ready()) is not None:
            assert token.value == Secret(b"one")
            await asyncio.sleep(0.02)
        assert here.broker._life.dies_at == end
        assert (await here.token()).value == Secret(b"two")
        await here.broker.close()


async def test_a_sliding_life_is_kept_over_a_restart() -> None:
    store = MemoryStore()
    async with desk((200, {"authToken": "one"}), (200, {"authToken": "two"})) as service:
        here = made(service, store)
        await here.token()
        first_end = here.broker.status().expires_at
        for _ in range(30):
            assert here.broker.ready() is not None
            use(here)
            await asyncio.sleep(0.1)
        assert (here.broker.status().expires_at or 0) > (first_end or 0) + 2
        await here.broker.close()
        again = made(service, store)
        try:
            assert (await again.token()).value == Secret(b"one")
        except CredentialUnavailable:
            raise AssertionError("the life that use gave was lost") from None
        await again.broker.close()
    assert len(service.calls) == 1


async def test_an_older_token_that_is_used_does_not_replace_a_newer_one() -> None:
    store = MemoryStore()
    async with desk((200, {"authToken": "one"}), (200, {"authToken": "two"})) as service:
        first, second = made(service, store, 1.0), made(service, store, 1.0)
        old = await first.token()
        assert await second.token() == old
        assert first.broker.refuse(old)
        newer = await first.token()
        assert newer.value == Secret(b"two")
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            use(second)
            await asyncio.sleep(0.01)
        assert (await second.token()).value == newer.value
        held = await first.broker._renewal.read()
        assert held.holding is not None
        assert held.holding.access == newer.value
        await first.broker.close()
        await second.broker.close()
    assert len(service.calls) == 2


async def test_who_takes_over_a_longer_life_gives_it_no_longer_ones() -> None:
    store = MemoryStore()
    async with desk((200, {"authToken": "one"})) as service:
        first = made(service, store, 3600.0)
        await first.token()
        first.broker._life.dies_at += 1800.0
        await first.broker.close()
        assert first.record in store._entries
        second = made(service, store, 3600.0)
        await second.token()
        assert abs(second.broker._life.slides_s - 3600.0) < 0.1
        await second.broker.close()
    assert len(service.calls) == 1

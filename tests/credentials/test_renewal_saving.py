"""What a store is told again: what it lost, and a life that became longer."""

import pytest

from gateway.credentials.holding import render
from gateway.credentials.renewal import NOTHING, Held
from gateway.stores.memory import MemoryStore
from gateway.stores.store import Entry, StoreDown
from tests.credentials.test_renewal import KEY, Falling, holding_of, renewal_of, stored


async def test_what_a_store_lost_is_written_again() -> None:
    store = MemoryStore()
    renewal, _ = renewal_of(store)
    held = await renewal.renew(NOTHING)
    assert await renewal.save(held) == held
    store._entries.clear()
    saved = await renewal.save(held)
    assert saved == Held(held.generation + 1, held.holding)
    assert await renewal.read() == Held(saved.generation, held.holding, adopted=True)


async def test_a_store_that_went_back_to_an_older_token_is_written_over() -> None:
    store = MemoryStore()
    renewal, _ = renewal_of(store)
    held = Held(7, holding_of(7))
    store.write(KEY, Entry(3, render(holding_of(3))))
    await renewal.save(held)
    assert (await renewal.read()).holding == holding_of(7)


async def test_a_newer_token_is_taken_and_not_written_over() -> None:
    store = MemoryStore()
    renewal, _ = renewal_of(store)
    async with stored(store, holding_of(8)) as generation:
        pass
    newer = Held(generation, holding_of(8), adopted=True)
    held = Held(generation - 1, holding_of(7))
    assert await renewal.save(held) == newer
    assert await renewal.keep(held, holding_of(7, expires_at=2100.0)) == newer
    assert await renewal.read() == newer


async def test_a_newer_token_that_cannot_be_used_here_stays_where_it_is() -> None:
    store = MemoryStore()
    renewal, _ = renewal_of(store)
    entry = Entry(8, b"of another format")
    store.write(KEY, entry)
    held = Held(7, holding_of(7))
    assert await renewal.keep(held, holding_of(7, expires_at=2100.0)) == held
    assert renewal.is_saved
    assert await store.read(KEY) == entry


async def test_what_descends_from_a_secret_that_was_replaced_is_saved_in_its_own_chain() -> None:
    store = MemoryStore()
    renewal, grant = renewal_of(store)
    held = await renewal.renew(NOTHING)
    grant.seeds = "new"
    store._entries.clear()
    saved = await renewal.save(held)
    assert saved.holding == held.holding == holding_of(1)
    longer = holding_of(1, expires_at=2100.0)
    assert (await renewal.keep(saved, longer)).holding == longer
    assert await renewal.read() == NOTHING
    grant.seeds = "seed"
    assert (await renewal.read()).holding == longer


async def test_of_one_token_the_longest_life_is_kept() -> None:
    store = MemoryStore()
    renewal, _ = renewal_of(store)
    async with stored(store, holding_of(7, expires_at=2100.0)) as generation:
        pass
    held = Held(generation - 1, holding_of(7))
    shorter, longer = holding_of(7, expires_at=2050.0), holding_of(7, expires_at=2200.0)
    assert (await renewal.keep(held, shorter)).holding == holding_of(7, expires_at=2100.0)
    assert (await renewal.keep(held, longer)).holding == longer
    assert (await renewal.read()).holding == longer


async def test_without_the_store_nothing_counts_as_saved() -> None:
    store = Falling()
    renewal, _ = renewal_of(store)
    held = await renewal.renew(NOTHING)
    store.fails_at = "read"
    with pytest.raises(StoreDown):
        await renewal.save(held)
    assert not renewal.is_saved
    assert await renewal.save(NOTHING) == NOTHING


async def test_a_refused_token_is_not_used_again_for_a_longer_life_in_the_store() -> None:
    store = MemoryStore()
    renewal, _ = renewal_of(store)
    async with stored(store, holding_of(7, expires_at=2100.0)) as generation:
        pass
    held = Held(generation - 1, holding_of(7))
    renewal.refused = holding_of(7).access
    assert await renewal.look(held) is None
    obtained = await renewal.renew(held)
    assert obtained.holding is not None
    assert obtained.holding.access != holding_of(7).access
    assert obtained.generation > generation


async def test_what_was_obtained_is_not_lost_with_the_store_that_has_a_newer_one() -> None:
    class Leaving(Falling):
        def write(self, key: str, entry: Entry) -> bool:
            written = super().write(key, entry)
            self.fails_at = "" if written else "read"
            return written

    store = Leaving()
    renewal, grant = renewal_of(store)
    grant.during = lambda: store.write(KEY, Entry(99, render(holding_of(50))))
    held = await renewal.renew(NOTHING)
    assert (held.holding, renewal.is_saved) == (holding_of(1), False)
    store.fails_at = ""
    assert (await renewal.save(held)).holding == holding_of(50)
    assert renewal.is_saved

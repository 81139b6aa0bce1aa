"""Chains of tokens side by side under one key."""

from gateway.core.secret import Secret
from gateway.credentials.chains import Chains, name_of
from gateway.credentials.holding import Holding, render
from gateway.stores.memory import MemoryStore
from gateway.stores.store import Entry, Lease, StoreDown

KEY = "token:ours:1"


def pair_of(seed: str, number: int) -> Holding:
    access, refresh = (Secret(b"%s-%s-%d" % (kind, seed.encode(), number)) for kind in (b"a", b"r"))
    return Holding(access, 1000.0, 2000.0, seed, refresh)


async def written(chains: Chains, holding: Holding) -> int:
    lease = await chains.lease(holding.seed, 0)
    assert lease is not None
    assert await chains.write(lease, holding)
    await lease.release()
    return lease.fence


async def test_no_chain_is_written_over_another_one() -> None:
    chains = Chains(KEY, MemoryStore())
    assert await written(chains, pair_of("one", 1)) == 1
    assert await written(chains, pair_of("two", 1)) == 1
    assert await written(chains, pair_of("one", 2)) == 2
    assert await chains.read("one") == (2, pair_of("one", 2))
    assert await chains.read("two") == (1, pair_of("two", 1))
    assert await chains.read("three") == (0, None)


async def test_chains_with_the_same_first_word_have_one_record_and_no_pair_in_common() -> None:
    store = MemoryStore()
    chains = Chains(KEY, store)
    assert await written(chains, pair_of("ours one", 1)) == 1
    assert await chains.read("ours two") == (1, None)
    assert await written(chains, pair_of("ours two", 1)) == 2
    assert await chains.read("ours one") == (2, None)
    assert await chains.read("ours two") == (2, pair_of("ours two", 1))
    assert set(store._entries) == {f"{KEY}:ours", f"latest:{KEY}"}


async def test_one_chain_is_renewed_while_another_one_is() -> None:
    chains = Chains(KEY, MemoryStore())
    lease, other = await chains.lease("one", 0), await chains.lease("two", 0)
    assert lease is not None
    assert other is not None
    assert await chains.lease("one", 0) is None


async def test_the_latest_chain_is_the_one_that_was_begun_last() -> None:
    chains = Chains(KEY, MemoryStore())
    assert await chains.latest() == ""
    await written(chains, pair_of("one", 1))
    assert await chains.latest() == "one"
    await written(chains, pair_of("two", 1))
    await written(chains, pair_of("one", 2))
    assert await chains.latest() == "two"


async def test_the_record_of_a_version_that_kept_one_chain_is_found_by_its_seed() -> None:
    store = MemoryStore()
    store.write(KEY, Entry(7, render(pair_of("one", 1))))
    chains = Chains(KEY, store)
    assert await chains.latest() == "one"
    assert await chains.read("one") == (7, pair_of("one", 1))
    assert await chains.read("two") == (0, None)
    await written(chains, pair_of("two", 1))
    assert await chains.read("one") == (7, pair_of("one", 1))
    await written(chains, pair_of("one", 2))
    assert await chains.read("one") == (1, pair_of("one", 2))
    assert store._entries[KEY] == Entry(7, render(pair_of("one", 1)))


async def test_a_record_that_is_not_understood_or_of_another_chain_keeps_its_number() -> None:
    store = MemoryStore()
    store.write(KEY, Entry(9, b"nonsense"))
    store.write(name_of(KEY, "one"), Entry(3, b"nonsense"))
    store.write(name_of(KEY, "two"), Entry(4, render(pair_of("one", 1))))
    chains = Chains(KEY, store)
    assert await chains.latest() == ""
    assert await chains.read("one") == (3, None)
    assert await chains.read("two") == (4, None)
    assert await chains.read("three") == (0, None)


class Pointless(MemoryStore):
    """A store that is down, or busy, when it is to be told which chain is the latest."""

    is_busy = is_well = False

    async def lease(self, key: str, *, floor: int = 0) -> Lease | None:
        if not key.startswith("latest:") or self.is_well:
            return await super().lease(key, floor=floor)
        if self.is_busy:
            return None
        raise StoreDown("no lease")


async def test_a_pair_is_safe_even_when_nothing_points_at_it() -> None:
    store = Pointless()
    chains = Chains(KEY, store)
    await written(chains, pair_of("one", 1))
    store.is_busy = True
    await written(chains, pair_of("two", 1))
    assert await chains.latest() == ""
    assert await chains.read("one") == (1, pair_of("one", 1))
    assert await chains.read("two") == (1, pair_of("two", 1))

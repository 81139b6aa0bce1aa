import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from gateway.core.secret import Secret
from gateway.credentials.chains import name_of
from gateway.credentials.failures import Outcome, TokenCallFailed
from gateway.credentials.holding import Holding, parse, render
from gateway.credentials.renewal import NOTHING, Held, Renewal
from gateway.stores.memory import MemoryStore
from gateway.stores.store import Entry, Lease, StoreDown
from tests.eventually import eventually

OURS = "token:ours:1"
KEY = name_of(OURS, "seed")


class Counter:
    """A grant that makes holdings out of numbers; `during` runs while it is asked."""

    slides = False
    begins_anew = True

    def __init__(self) -> None:
        self.asked: list[tuple[Holding | None, bool]] = []
        self.during: Callable[[], object] = lambda: None
        self.gate = asyncio.Event()
        self.gate.set()
        self.seeds = "seed"
        self.fails: TokenCallFailed | None = None

    def seed(self) -> str:
        return self.seeds

    def secrets(self) -> tuple[str, ...]:
        return (self.seeds,)

    async def obtain(self, held: Holding | None, *, alone: bool) -> Holding:
        self.asked.append((held, alone))
        self.during()
        await self.gate.wait()
        if self.fails is not None:
            raise self.fails
        return holding_of(len(self.asked), self.seeds)

    async def close(self) -> None:
        pass


def holding_of(number: int, seed: str = "seed", expires_at: float = 2000.0) -> Holding:
    return Holding(Secret(b"a%d" % number), 1000.0, expires_at, seed, Secret(b"r%d" % number))


class Falling(MemoryStore):
    """A store that fails from a given call on; calls are counted by name."""

    def __init__(self, fails_at: str = "") -> None:
        super().__init__()
        self.fails_at = fails_at

    def _maybe(self, name: str) -> None:
        if name == self.fails_at:
            raise StoreDown(f"no {name}")

    async def read(self, key: str) -> Entry | None:
        self._maybe("read")
        return await super().read(key)

    async def lease(self, key: str, *, floor: int = 0) -> Lease | None:
        self._maybe("lease")
        return await super().lease(key, floor=floor)

    def write(self, key: str, entry: Entry) -> bool:
        self._maybe("write")
        return super().write(key, entry)


def renewal_of(store: MemoryStore, grant: Counter | None = None) -> tuple[Renewal, Counter]:
    grant = grant or Counter()
    return Renewal(OURS, grant, store, lambda: 1500.0), grant


@asynccontextmanager
async def stored(store: MemoryStore, holding: Holding) -> AsyncIterator[int]:
    """Write a holding as another process would; yield its generation."""
    lease = await store.lease(name_of(OURS, holding.seed))
    assert lease is not None
    await lease.write(render(holding))
    yield lease.fence
    await lease.release()


async def test_what_is_obtained_is_stored_under_its_generation() -> None:
    store = MemoryStore()
    renewal, grant = renewal_of(store)
    held = await renewal.renew(NOTHING)
    entry = await store.read(KEY)
    assert entry is not None
    assert (held.generation, held.adopted) == (entry.version, False)
    assert parse(entry.value) == held.holding == holding_of(1)
    assert grant.asked == [(None, False)]
    assert renewal.is_saved
    assert (await store.lease(KEY)) is not None


async def test_what_another_process_obtained_is_taken_without_a_call() -> None:
    store = MemoryStore()
    renewal, grant = renewal_of(store)
    async with stored(store, holding_of(7)) as generation:
        pass
    assert await renewal.renew(NOTHING) == Held(generation, holding_of(7), adopted=True)
    assert not grant.asked


async def test_a_stored_token_that_died_gives_its_refresh_token() -> None:
    store = MemoryStore()
    renewal, grant = renewal_of(store)
    dead = holding_of(7, expires_at=1400.0)
    async with stored(store, dead) as generation:
        pass
    held = await renewal.renew(NOTHING)
    assert grant.asked == [(dead, False)]
    assert held.generation > generation


async def test_a_stored_token_of_other_secrets_is_not_taken_over() -> None:
    store = MemoryStore()
    renewal, grant = renewal_of(store)
    other = holding_of(7, seed="other")
    async with stored(store, other):
        pass
    held = await renewal.renew(NOTHING)
    assert grant.asked == [(None, False)]
    assert held.holding == holding_of(1)
    grant.seeds = "other"
    assert (await renewal.read()).holding == other


async def test_what_is_held_is_not_carried_on_once_its_secret_was_replaced() -> None:
    store = MemoryStore()
    renewal, grant = renewal_of(store)
    old = await renewal.renew(Held(4, None))
    grant.seeds = "new"
    assert (await renewal.renew(old)).holding == holding_of(2, seed="new")
    assert (await renewal.renew_alone(old)).holding == holding_of(3, seed="new")
    assert grant.asked == [(None, False), (None, False), (None, True)]


async def test_what_another_one_obtained_with_a_new_secret_is_taken_whatever_its_number() -> None:
    store = MemoryStore()
    renewal, grant = renewal_of(store)
    old = await renewal.renew(Held(4, None))
    grant.seeds = "new"
    async with stored(store, holding_of(7, seed="new")) as generation:
        assert generation < old.generation
    expected = Held(generation, holding_of(7, seed="new"), adopted=True)
    assert await renewal.look(old) == await renewal.renew(old) == expected


async def test_while_a_secret_cannot_be_told_what_is_held_or_was_begun_last_is_carried_on() -> None:
    store = MemoryStore()
    renewal, grant = renewal_of(store)
    async with stored(store, holding_of(7, seed="other")):
        pass
    held = await renewal.renew(NOTHING)
    grant.seeds = ""
    fresh, _ = renewal_of(store, grant)
    assert await fresh.renew(NOTHING) == Held(held.generation, held.holding, adopted=True)
    async with stored(store, holding_of(8)) as generation:
        pass
    assert await renewal.renew(held) == Held(generation, holding_of(8), adopted=True)


async def test_a_record_that_nobody_understands_is_written_over() -> None:
    store = MemoryStore()
    lease = await store.lease(KEY)
    assert lease is not None
    await lease.write(b"\xff nonsense")
    await lease.release()
    renewal, _ = renewal_of(store)
    assert (await renewal.renew(NOTHING)).holding == holding_of(1)


async def test_who_finds_the_lease_taken_waits_for_its_result() -> None:
    store = MemoryStore()
    first, grant = renewal_of(store)
    second, other = renewal_of(store)
    grant.gate.clear()
    asking = asyncio.create_task(first.renew(NOTHING))
    await eventually(lambda: grant.asked)
    waiting = asyncio.create_task(second.renew(NOTHING))
    for _ in range(10):
        await asyncio.sleep(0)
    grant.gate.set()
    obtained, adopted = await asyncio.gather(asking, waiting)
    assert adopted == Held(obtained.generation, obtained.holding, adopted=True)
    assert not other.asked


async def test_after_a_failure_the_next_one_may_ask() -> None:
    store = MemoryStore()
    renewal, grant = renewal_of(store)
    grant.fails = TokenCallFailed(Outcome.ERROR, "no")
    with pytest.raises(TokenCallFailed):
        await renewal.renew(NOTHING)
    grant.fails = None
    assert (await renewal.renew(NOTHING)).holding == holding_of(2)


@pytest.mark.parametrize("call", ["read", "lease"])
async def test_without_the_store_nothing_is_asked_of_the_vendor(call: str) -> None:
    renewal, grant = renewal_of(Falling(call))
    with pytest.raises(StoreDown):
        await renewal.renew(NOTHING)
    assert not grant.asked


async def test_a_token_that_cannot_be_written_is_used_and_written_later() -> None:
    store = Falling("write")
    renewal, _ = renewal_of(store)
    held = await renewal.renew(NOTHING)
    assert held.holding == holding_of(1)
    assert not renewal.is_saved
    with pytest.raises(StoreDown):
        await renewal.save(held)
    store.fails_at = ""
    await renewal.save(held)
    assert renewal.is_saved
    entry = await store.read(KEY)
    assert entry is not None
    assert parse(entry.value) == held.holding
    assert entry.version >= held.generation


async def test_what_was_obtained_alone_is_saved_unless_the_store_has_as_new_a_one() -> None:
    store = MemoryStore()
    renewal, grant = renewal_of(store)
    held = await renewal.renew_alone(Held(4, holding_of(9)))
    assert (held.generation, grant.asked) == (5, [(holding_of(9), True)])
    assert not renewal.is_saved
    await renewal.save(held)
    entry = await store.read(KEY)
    assert entry is not None
    assert (entry.version, renewal.is_saved) == (5, True)
    other, _ = renewal_of(store)
    late = await other.renew_alone(Held(2, None))
    await other.save(late)
    assert other.is_saved
    assert await store.read(KEY) == entry


async def test_saving_waits_for_its_turn() -> None:
    store = MemoryStore()
    renewal, _ = renewal_of(store)
    held = await renewal.renew_alone(NOTHING)
    lease = await store.lease(KEY)
    assert lease is not None
    await renewal.save(held)
    assert not renewal.is_saved


async def test_who_was_held_up_takes_what_came_after_and_overwrites_nothing() -> None:
    store = MemoryStore()
    renewal, grant = renewal_of(store)

    grant.during = lambda: store.write(KEY, Entry(99, render(holding_of(50))))
    held = await renewal.renew(NOTHING)
    assert held == Held(99, holding_of(50), adopted=True)
    entry = await store.read(KEY)
    assert entry is not None
    assert entry.version == 99


async def test_a_look_says_what_is_stored() -> None:
    store = MemoryStore()
    renewal, _ = renewal_of(store)
    assert await renewal.read() == NOTHING
    async with stored(store, holding_of(3)) as generation:
        assert await renewal.read() == Held(generation, holding_of(3), adopted=True)

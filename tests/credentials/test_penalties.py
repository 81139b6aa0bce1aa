from gateway.credentials.penalties import Penalties
from gateway.stores.memory import MemoryStore
from gateway.stores.store import Entry, StoreDown


class Away(MemoryStore):
    async def lease(self, key: str, *, floor: int = 0) -> None:
        raise StoreDown("away")


async def test_what_one_is_told_all_know_until_it_is_over() -> None:
    store, now = MemoryStore(), [1000.0]
    first, second = (Penalties(store, lambda: now[0]) for _ in range(2))
    assert await second.left_s("auth:app") == 0.0
    await first.tell("auth:app", 30.0)
    assert await second.left_s("auth:app") == 30.0
    assert await second.left_s("auth:other") == 0.0
    now[0] += 29.5
    assert await second.left_s("auth:app") == 0.5
    now[0] += 1.0
    assert await second.left_s("auth:app") == 0.0


async def test_a_penalty_is_believed_for_a_day_at_most() -> None:
    store = MemoryStore()
    penalties = Penalties(store, lambda: 0.0)
    await penalties.tell("a", 1e9)
    assert await penalties.left_s("a") == 86_400.0
    store.write("shut:a", Entry(99, b"999999999999.0"))
    assert await penalties.left_s("a") == 86_400.0
    store.write("shut:a", Entry(100, b"soon"))
    assert await penalties.left_s("a") == 0.0


async def test_one_that_is_being_told_is_left_to_whoever_tells_it() -> None:
    store = MemoryStore()
    lease = await store.lease("shut:a")
    assert lease is not None
    await Penalties(store).tell("a", 30.0)
    assert await Penalties(store).left_s("a") == 0.0


async def test_a_store_that_is_away_is_told_nothing() -> None:
    await Penalties(Away()).tell("a", 30.0)

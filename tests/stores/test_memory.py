"""What only the store in memory does; what every store does is in test_store.py."""

from gateway.stores.memory import MemoryStore


async def test_its_clock_may_be_given() -> None:
    now = 100.0
    store = MemoryStore(clock=lambda: now)
    assert [await store.spend("budget", 2, 60) for _ in range(3)] == [0.0, 0.0, 60.0]
    now += 59.5
    assert await store.spend("budget", 2, 60) == 0.5
    now += 0.5
    assert await store.spend("budget", 2, 60) == 0.0


async def test_what_is_written_meanwhile_is_forgotten_when_it_was_to_be() -> None:
    now = 100.0
    store = MemoryStore(clock=lambda: now)
    lease = await store.lease("limit")
    assert lease is not None
    await lease.write(b"1")
    await store.keep("limit", 60.0)
    now += 59.0
    await lease.write(b"2")
    assert await store.read("limit") is not None
    now += 1.0
    assert await store.read("limit") is None
    assert not await store.changed("limit", 0, 0.01)


async def test_to_close_it_releases_what_is_held() -> None:
    store = MemoryStore()
    await store.lease("a")
    await store.close()
    assert await store.lease("a") is not None


async def test_it_is_never_down() -> None:
    assert MemoryStore().trouble is None

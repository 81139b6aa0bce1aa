"""What a broker does when its store has something, or is away."""

import time

from gateway.core.secret import Secret
from gateway.credentials.holding import Holding, render
from gateway.stores.memory import MemoryStore
from gateway.stores.store import Entry, Lease, StoreDown
from tests.credentials.brokers import lasting, place
from tests.eventually import eventually


class Downable(MemoryStore):
    """A store that can be taken down."""

    is_down = False

    def __init__(self) -> None:
        super().__init__()
        self.written: set[str] = set()

    def write(self, key: str, entry: Entry) -> bool:
        self.written.add(key)
        return super().write(key, entry)

    def _check(self) -> None:
        if self.is_down:
            raise StoreDown("the store is away")

    async def read(self, key: str) -> Entry | None:
        self._check()
        return await super().read(key)

    async def lease(self, key: str, *, floor: int = 0) -> Lease | None:
        self._check()
        return await super().lease(key, floor=floor)

    async def spend(self, key: str, limit: int, window_s: float) -> float:
        self._check()
        return await super().spend(key, limit, window_s)


async def test_what_was_stored_is_used_without_a_call() -> None:
    store = MemoryStore()
    async with place(store=store) as before:
        await before.token()
    async with place(store=store) as here:
        here.broker.open()
        token = await here.token()
    assert (token.value, token.generation) == (Secret(b"access-1"), 1)
    assert not here.service.calls
    assert here.told.refreshes == [("adopted", "")]


async def test_a_store_that_is_down_at_the_start_stops_nobody() -> None:
    store = Downable()
    store.is_down = True
    async with place(store=store) as here:
        token = await here.token()
        assert token.value == Secret(b"access-1")
        assert here.told.stores == ["the store is away"]
        store.is_down = False
        await eventually(lambda: here.record in store.written)
    assert here.service.calls[0].form["endpoint_id"] != "gateway-1"


async def test_a_living_token_waits_for_the_store_to_come_back() -> None:
    store = Downable()
    async with place(lasting(3), store=store) as here:
        first = await here.token()
        store.is_down = True
        await eventually(lambda: here.told.stores)
        assert here.broker.ready() == first
        assert here.broker.status().outcome == "store"
        assert len(here.service.calls) == 1
        store.is_down = False
        await here.service.came(2)
        assert here.service.calls[1].form["endpoint_id"] == "gateway-1"


async def test_a_store_that_lost_its_data_is_filled_again() -> None:
    store = MemoryStore()
    async with place(store=store) as here:
        token = await here.token()
        store._entries.clear()
        assert here.broker._alarm._handle is not None
        assert here.broker._alarm._handle.when() <= here.broker._loop.time() + 10.0
        here.broker._on_timer()
        await eventually(lambda: here.record in store._entries)
        assert (await here.token()).value == token.value
    assert len(here.service.calls) == 1


async def test_a_store_that_comes_back_empty_is_filled_at_once() -> None:
    store = Downable()
    async with place(store=store) as here:
        await here.token()
        store.is_down = True
        here.broker._on_timer()
        await eventually(lambda: not here.broker._renewal.is_saved)
        store._entries.clear()
        store.is_down = False
        await eventually(lambda: here.record in store._entries)
    assert len(here.service.calls) == 1


async def test_what_a_store_lost_is_written_at_the_end() -> None:
    store = MemoryStore()
    async with place(store=store) as here:
        await here.token()
        store._entries.clear()
    assert here.record in store._entries
    assert len(here.service.calls) == 1


async def test_a_store_that_is_down_at_the_end_holds_nothing_up() -> None:
    store = Downable()
    async with place(store=store) as here:
        await here.token()
        store.is_down = True


async def test_what_another_one_obtained_is_used_before_ours_is_refused() -> None:
    store = MemoryStore()
    async with place(store=store) as here:
        await here.token()
        now, seed = time.time(), here.broker._renewal.grant.seed()
        newer = Holding(Secret(b"newer"), now, now + 3600, seed)
        store.write(here.record, Entry(50, render(newer)))
        here.broker._on_timer()
        await eventually(lambda: here.told.changes[-1] == ("ours", 50))
        assert (await here.token()).value == Secret(b"newer")
    assert here.told.refreshes == [("obtained", ""), ("adopted", "")]

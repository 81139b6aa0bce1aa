"""What a broker does when its store has something, or is away."""

from gateway.core.secret import Secret
from gateway.stores.memory import MemoryStore
from gateway.stores.store import Entry, Lease, StoreDown
from tests.credentials.brokers import KEY, lasting, place
from tests.credentials.desk import eventually


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
        await eventually(lambda: KEY in store.written)
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

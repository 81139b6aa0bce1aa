"""One count for a fleet: what one gateway learns, all keep to."""

import asyncio

import pytest

from gateway.engine.fleet_budgets import FleetBudgets, Refusal
from gateway.policy.rate_buckets import Reason, Shut
from gateway.policy.rate_groups import RateKey
from gateway.policy.rate_windows import Window
from gateway.policy.rates import Budget
from gateway.stores.memory import MemoryStore
from gateway.stores.store import Entry, Receipt, StoreDown

HEAVY = RateKey("platform", "ringcentral", "heavy", "GET /x")
TEN = Budget("ringcentral/heavy", 10, 60.0)


class Downable(MemoryStore):
    """A store that can be away, and counts how often it is read."""

    is_down = False
    reads = 0

    async def read(self, key: str) -> Entry | None:
        self.reads += 1
        if self.is_down:
            raise StoreDown("away")
        return await super().read(key)


async def is_let(budgets: FleetBudgets, key: RateKey, budget: Budget | None = None) -> bool:
    return not isinstance(await budgets.spend(key, budget), Refusal)


async def test_what_is_counted_before_the_limit_is_known_counts_afterwards() -> None:
    store = MemoryStore()
    fleet = [FleetBudgets(store) for _ in range(3)]
    for budgets in fleet:
        assert [await is_let(budgets, HEAVY) for _ in range(3)] == [True] * 3
    fleet[0].tell(HEAVY, TEN)
    await asyncio.sleep(0)
    # The tenth, by one that was told through the store; and none after it, by anybody.
    assert await is_let(fleet[2], HEAVY)
    for budgets, known in zip(fleet, (TEN, None, None), strict=True):
        refusal = await budgets.spend(HEAVY, known)
        assert isinstance(refusal, Refusal)
        assert refusal.reason is Reason.EXHAUSTED
        assert 60.0 < refusal.wait_s <= 61.2


async def test_a_limit_is_told_once_and_again_when_it_changes() -> None:
    store = Downable()
    budgets = FleetBudgets(store)
    for _ in range(5):
        budgets.tell(HEAVY, TEN)
    await asyncio.sleep(0)
    assert store.reads == 1
    budgets.tell(HEAVY, Budget("ringcentral/heavy", 20, 60.0))
    await asyncio.sleep(0)
    entry = await store.read("limit:ringcentral/heavy")
    assert entry is not None
    assert entry.value.startswith(b"20 60")
    FleetBudgets(store).tell(HEAVY, Budget("ringcentral/heavy", 20, 60.0))
    await asyncio.sleep(0)
    assert await store.read("limit:ringcentral/heavy") == entry


async def test_what_cannot_be_told_is_told_with_the_next_answer() -> None:
    store = Downable()
    budgets = FleetBudgets(store)
    store.is_down = True
    budgets.tell(HEAVY, TEN)
    await asyncio.sleep(0)
    store.is_down = False
    budgets.tell(HEAVY, TEN)
    await asyncio.sleep(0)
    assert await store.read("limit:ringcentral/heavy") is not None


async def test_a_store_that_is_away_is_told_to_whoever_asks() -> None:
    store = Downable()
    store.is_down = True
    with pytest.raises(StoreDown):
        await FleetBudgets(store).spend(HEAVY, None)


async def test_a_limit_that_another_is_writing_is_left_to_it() -> None:
    store = MemoryStore()
    lease = await store.lease("limit:ringcentral/heavy")
    assert lease is not None
    FleetBudgets(store).tell(HEAVY, TEN)
    await asyncio.sleep(0)
    assert await store.read("limit:ringcentral/heavy") is None


def until(seconds: float, reason: Reason = Reason.PENALTY) -> Shut:
    return Shut(reason, asyncio.get_running_loop().time() + seconds)


async def test_what_is_shut_by_one_is_shut_for_all_and_nothing_is_counted_meanwhile() -> None:
    store = MemoryStore()
    one, other = FleetBudgets(store), FleetBudgets(store)
    one.shut(HEAVY, until(30.0))
    await asyncio.sleep(0)
    light = RateKey("platform", "ringcentral", "light", "GET /y")
    for _ in range(TEN.limit + 1):
        refusal = await other.spend(HEAVY, TEN)
        assert isinstance(refusal, Refusal)
        assert refusal.reason is Reason.PENALTY
        assert 29.0 < refusal.wait_s <= 30.0
    assert await is_let(other, light)
    one.shut(light, until(40.0, Reason.ACCOUNT))
    await asyncio.sleep(0)
    # A request of no known group, too, would prolong it; another upstream is another door.
    for key in (HEAVY, light, RateKey("platform", "ringcentral", "", "GET /new")):
        refusal = await other.spend(key, None)
        assert isinstance(refusal, Refusal)
        assert refusal.reason is Reason.ACCOUNT
    assert await is_let(other, RateKey("media", "ringcentral", "light", "GET /z"))


async def test_a_door_that_cannot_be_told_is_not_told() -> None:
    class Away(MemoryStore):
        async def shut(self, door: str, for_s: float) -> None:
            raise StoreDown("away")

    store = Away()
    FleetBudgets(store).shut(HEAVY, until(30.0))
    await asyncio.sleep(0)
    assert await is_let(FleetBudgets(store), HEAVY)


async def test_where_windows_are_documented_no_door_is_told() -> None:
    store = MemoryStore()
    reports = RateKey("ringcx", "ringcx", "ringcx-reports", "", (Window(3, 60.0),))
    FleetBudgets(store).shut(reports, until(30.0, Reason.WINDOW))
    await asyncio.sleep(0)
    assert await is_let(FleetBudgets(store), reports)


async def test_applications_that_are_called_the_same_share_nothing() -> None:
    store = MemoryStore()
    one, same, other = (
        FleetBudgets(store, {"ringcentral": identity}) for identity in ("a", "a", "b")
    )
    once = Budget("ringcentral/heavy", 1, 60.0)
    one.tell(HEAVY, once)
    await asyncio.sleep(0)
    assert await is_let(one, HEAVY, once)
    assert not await is_let(same, HEAVY)
    assert await is_let(other, HEAVY, once)
    light = RateKey("platform", "ringcentral", "light", "GET /y")
    one.shut(light, until(30.0, Reason.ACCOUNT))
    await asyncio.sleep(0)
    assert not await is_let(same, light)
    assert await is_let(other, light)


async def test_what_is_taken_back_is_counted_no_longer_and_the_rest_is() -> None:
    store = Downable()
    budgets = FleetBudgets(store)
    receipts = [await budgets.spend(HEAVY, TEN) for _ in range(10)]
    assert not await is_let(budgets, HEAVY, TEN)
    for receipt in receipts[3:5]:
        assert isinstance(receipt, Receipt)
        budgets.take_back(receipt)
    await asyncio.sleep(0)
    lets = [await is_let(FleetBudgets(store), HEAVY, TEN) for _ in range(4)]
    assert lets == [True, True, False, False]


async def test_what_a_store_that_is_away_cannot_take_back_is_told_to_nobody() -> None:
    class Away(MemoryStore):
        async def take_back(self, receipt: Receipt) -> None:
            raise StoreDown("away")

    store = Away()
    budgets = FleetBudgets(store)
    receipt = await budgets.spend(HEAVY, TEN)
    assert isinstance(receipt, Receipt)
    budgets.take_back(receipt)
    await asyncio.gather(*budgets._telling)
    assert store._spent == {receipt.key: [receipt.at]}


async def test_one_too_many_for_a_limit_that_nobody_knows_goes_uncounted() -> None:
    store = MemoryStore()
    budgets = FleetBudgets(store)
    for _ in range(1000):
        assert isinstance(await budgets.spend(HEAVY, None), Receipt)
    assert await budgets.spend(HEAVY, None) is None


class Time:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def is_known(store: MemoryStore) -> bool:
    return await store.read("limit:ringcentral/heavy") is not None


async def test_a_limit_that_nobody_tells_any_more_is_forgotten() -> None:
    time = Time()
    store = MemoryStore(time)
    for budget, kept_s in ((TEN, 600.0), (Budget("ringcentral/heavy", 9, 900.0), 3600.0)):
        FleetBudgets(store, clock=time).tell(HEAVY, budget)
        await asyncio.sleep(0)
        time.now += kept_s - 1.0
        assert await is_known(store)
        time.now += 1.0
        assert not await is_known(store)


async def test_a_limit_that_is_in_use_is_told_again_before_it_is_forgotten() -> None:
    time = Time()
    store = Downable(time)
    one, other = FleetBudgets(store, clock=time), FleetBudgets(store, clock=time)
    other.tell(HEAVY, TEN)
    for _ in range(30):
        one.tell(HEAVY, TEN)
        await asyncio.sleep(0)
        time.now += 100.0
    # The one that came first, and one in every three of the other's thirty.
    assert store.reads == 1 + 10
    assert await is_known(store)
    # A gateway that comes after the last answer finds it for two windows at the least.
    time.now += 120.0
    assert await is_known(store)


async def test_a_limit_that_the_store_lost_is_there_again_when_it_is_told_again() -> None:
    time = Time()
    store = MemoryStore(time)
    budgets = FleetBudgets(store, clock=time)
    budgets.tell(HEAVY, TEN)
    await asyncio.sleep(0)
    await store.keep("limit:ringcentral/heavy", 0.0)
    assert not await is_known(store)
    time.now += 300.0
    budgets.tell(HEAVY, TEN)
    await asyncio.sleep(0)
    assert await is_known(store)

"""What several gateways pay over one real Redis: a door that one shuts is shut for all."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from gateway.engine.fleet_budgets import FleetBudgets
from gateway.engine.toll import Toll
from gateway.errors import RateShield
from gateway.policy.forward import Plan
from gateway.policy.rates import RateMode, Rates, Spent
from gateway.stores.memory import MemoryStore
from gateway.stores.redis import RedisStore
from gateway.stores.store import Bar, Receipt, StoreDown
from tests.policy.world import plan_of, reply_of
from tests.redis_server import RedisServer
from tests.stores.telling import Told

LIGHT = "/restapi/v1.0/account/~"
HEAVY = "/restapi/v1.0/account/~/call-log"
OVER = (
    "X-Rate-Limit-Group: {}\nX-Rate-Limit-Limit: 9\nX-Rate-Limit-Remaining: 0\n"
    "X-Rate-Limit-Window: {}"
)
LEFT = (
    "X-Rate-Limit-Group: light\nX-Rate-Limit-Limit: 4\nX-Rate-Limit-Remaining: 3\n"
    "X-Rate-Limit-Window: 60"
)


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[RedisServer]:
    with RedisServer(tmp_path) as server:
        yield server


@pytest.fixture
async def fleet(redis: RedisServer) -> AsyncIterator[list[Toll]]:
    """Give two gateways' tolls; each has a connection of its own."""
    stores = [RedisStore(redis.address, Told(), timeout_s=20.0) for _ in range(2)]
    tolls = [Toll(Rates(RateMode.SHIELD, b"secret"), FleetBudgets(store)) for store in stores]
    yield tolls
    for toll, store in zip(tolls, stores, strict=True):
        # A connection that is in use then would be left open.
        await told(toll)
        await store.close()


def plan_for(path: str = LIGHT, for_s: float = 30.0) -> Plan:
    plan = plan_of("GET", path)
    return Plan(plan.permitted, plan.outbound, now() + for_s)


def now() -> float:
    return asyncio.get_running_loop().time()


async def refuse(toll: Toll, lines: str, path: str = LIGHT) -> None:
    """Let the vendor answer 429, and the fleet know of it."""
    toll.settle(await toll.pay(plan_for(path)), reply_of(429, lines))
    await told(toll)


async def told(toll: Toll) -> None:
    """Wait until the store knows what it is to know."""
    assert toll._shared is not None
    await asyncio.gather(*toll._shared._telling)


async def refusal(toll: Toll, path: str = LIGHT) -> RateShield:
    with pytest.raises(RateShield) as shield:
        await toll.pay(plan_for(path))
    return shield.value


async def pass_at_last(toll: Toll) -> float:
    """Come back whenever it is said to; return when it passed."""
    async with asyncio.timeout(20.0):
        while True:
            try:
                toll.release(await toll.pay(plan_for()), sent=False)
            except RateShield as shield:
                await asyncio.sleep(shield.retry_at - now())
            else:
                return now()


async def test_after_a_429_at_one_the_other_is_refused_until_the_window_ends(
    fleet: list[Toll],
) -> None:
    one, other = fleet
    await refuse(one, OVER.format("light", 2))
    ends_at = (await refusal(one)).retry_at
    shield = await refusal(other)
    assert shield.reason == "penalty"
    assert ends_at - 0.1 <= shield.retry_at <= ends_at + 1.0
    passed = await asyncio.gather(*map(pass_at_last, fleet))
    assert all(ends_at <= at for at in passed)


async def test_the_last_of_the_ends_that_are_known_counts_for_all(fleet: list[Toll]) -> None:
    one, other = fleet
    # Both were under way when the first of them was refused.
    sent = [await one.pay(plan_for()), await other.pay(plan_for())]
    for toll, spent, window_s in zip(fleet, sent, (0.2, 30), strict=True):
        toll.settle(spent, reply_of(429, OVER.format("light", window_s)))
        await told(toll)
    await asyncio.sleep((await refusal(one)).retry_at - now() + 0.01)
    shield = await refusal(one)
    assert shield.reason == "penalty"
    assert shield.retry_at == pytest.approx((await refusal(other)).retry_at, abs=1.0)


async def test_a_429_for_the_account_shuts_every_group_of_the_upstream(fleet: list[Toll]) -> None:
    one, other = fleet
    await refuse(one, "Retry-After: 30", HEAVY)
    for path in (LIGHT, HEAVY, "/restapi/v1.0/unheard/of"):
        assert (await refusal(other, path)).reason == "account"


async def test_the_group_that_the_429_names_is_the_one_that_is_shut(fleet: list[Toll]) -> None:
    one, other = fleet
    await refuse(one, OVER.format("heavy", 30), LIGHT)
    assert (await refusal(other, HEAVY)).reason == "penalty"
    # That it is of that group, this one has not learned yet.
    other.release(await other.pay(plan_for(LIGHT)), sent=False)


async def learn(toll: Toll) -> Spent:
    """Let the vendor tell that it counts to four, and has counted one; return that one."""
    spent = await toll.pay(plan_for())
    toll.settle(spent, reply_of(200, LEFT))
    await told(toll)
    return spent


async def count_free(toll: Toll) -> int:
    """Pay until the fleet refuses; return how often it did not."""
    for free in range(100):
        try:
            await toll.pay(plan_for())
        except RateShield:
            return free
    raise AssertionError("the fleet refuses nobody")


async def test_what_was_never_sent_is_not_counted_by_the_fleet(fleet: list[Toll]) -> None:
    one, other = fleet
    await learn(one)
    for _ in range(10):
        one.release(await one.pay(plan_for()), sent=False)
        await told(one)
    assert await count_free(other) == 3


async def test_what_was_sent_or_answered_stays_counted_and_is_taken_back_once(
    fleet: list[Toll],
) -> None:
    one, other = fleet
    answered = await learn(one)
    sent, unsent = await one.pay(plan_for()), await one.pay(plan_for())
    one.release(sent, sent=True)
    for spent in (answered, sent, unsent, unsent):
        one.release(spent, sent=False)
    await told(one)
    assert one._receipts == {}
    assert await count_free(other) == 2


async def test_whom_the_fleet_refuses_has_nothing_to_take_back(fleet: list[Toll]) -> None:
    one, other = fleet
    await learn(one)
    assert await count_free(other) == 3
    assert len(other._receipts) == 3
    await refusal(one)
    assert one._receipts == {}


class Slow(MemoryStore):
    """Answers when it is let, or is down by then, and tells that it was asked."""

    is_down = False

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.let = asyncio.Event()

    async def enter(
        self, doors: Sequence[str], key: str, limit: int, window_s: float
    ) -> Bar | Receipt:
        self.asked.set()
        await self.let.wait()
        if self.is_down:
            raise StoreDown("away")
        return await super().enter(doors, key, limit, window_s)


def toll_over(
    store: MemoryStore, mode: RateMode = RateMode.SHIELD, max_wait_s: float = 30.0
) -> Toll:
    return Toll(Rates(mode, b"secret"), FleetBudgets(store), max_wait_s=max_wait_s)


async def late(toll: Toll) -> None:
    """Wait until what was asked in vain is answered."""
    assert toll._shared is not None
    await asyncio.gather(*toll._shared._telling, return_exceptions=True)


async def test_nobody_waits_long_for_a_store_that_is_slow_nor_past_his_deadline() -> None:
    toll = toll_over(Slow())
    for left_s, at_most_s in ((30.0, 5.0), (0.01, 0.4)):
        plan, began = plan_for(), now()
        plan = Plan(plan.permitted, plan.outbound, began + left_s)
        toll.release(await toll.pay(plan), sent=False)
        assert now() - began < at_most_s


async def test_a_door_that_is_told_of_too_late_for_one_is_shut_for_the_next() -> None:
    store = Slow()
    toll = toll_over(store)
    toll.release(await toll.pay(plan_for()), sent=False)
    await store.shut("rate:ringcentral/light", 30.0)
    store.let.set()
    await late(toll)
    store.let.clear()
    assert (await refusal(toll)).reason == "penalty"


async def test_a_late_answer_that_is_a_yes_or_a_failure_shuts_nothing() -> None:
    store = Slow()
    toll = toll_over(store)
    for is_down in (False, True):
        toll.release(await toll.pay(plan_for()), sent=False)
        store.is_down = is_down
        store.let.set()
        await late(toll)
        store.let.clear()
    toll.release(await toll.pay(plan_for()), sent=False)


async def test_what_is_counted_too_late_for_one_who_went_ahead_stays_counted() -> None:
    store = Slow()
    toll = toll_over(store)
    toll.release(await toll.pay(plan_for()), sent=True)
    store.let.set()
    await late(toll)
    assert len(store._spent["rate:ringcentral/light"]) == 1


@pytest.mark.parametrize("is_down", [False, True])
async def test_what_is_counted_for_one_who_has_gone_is_taken_back(is_down: bool) -> None:
    store = Slow()
    store.is_down = is_down
    toll = toll_over(store)
    paying = asyncio.create_task(toll.pay(plan_for()))
    await store.asked.wait()
    paying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await paying
    assert len(toll.rates) == 0
    store.let.set()
    await told(toll)
    assert store._spent == {}
    assert toll._receipts == {}


async def test_who_goes_in_the_moment_of_the_answer_is_counted_no_longer() -> None:
    for steps in range(1, 9):
        store = MemoryStore()
        toll = toll_over(store)
        paying = asyncio.create_task(toll.pay(plan_for()))
        for _ in range(steps):
            await asyncio.sleep(0)
        if not paying.cancel():
            break
        await asyncio.wait((paying,))
        assert paying.cancelled()
        await told(toll)
        assert store._spent == {}
    assert steps > 3

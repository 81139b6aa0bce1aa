"""What is to wait for a window goes on, whatever the moment it comes at."""

import asyncio
from collections.abc import Sequence

import pytest

from gateway.engine.toll import Toll
from gateway.errors import RateShield
from gateway.policy.rate_buckets import Reason, Shut
from gateway.policy.rate_groups import RateKey
from gateway.policy.rates import RateMode, Rates
from gateway.stores.memory import MemoryStore
from gateway.stores.store import Bar, Receipt
from tests.engine.test_toll import answer, plan_for, toll_of
from tests.policy.world import reply_of


async def test_two_may_wait_for_a_door_that_opens_within_a_millisecond() -> None:
    toll = toll_of("queue")
    answer(toll, await toll.pay(plan_for()), 2)
    plan = plan_for()
    key = toll.rates.key_of(plan.permitted)
    # To uvloop, whose clock counts milliseconds, that is now.
    toll.rates.close(key, Shut(Reason.EXHAUSTED, asyncio.get_running_loop().time() + 0.0004))
    waiting = [asyncio.create_task(toll.pay(plan)) for _ in range(2)]
    for one in waiting:
        toll.release(await one, sent=False)
    assert toll.waiting == 0


async def test_a_door_that_is_to_open_sooner_is_looked_at_sooner() -> None:
    toll = toll_of("queue")
    key = toll.rates.key_of(plan_for().permitted)
    now = asyncio.get_running_loop().time()
    toll._wake_at(key, now + 30.0)
    toll.rates.close(key, Shut(Reason.EXHAUSTED, now + 0.05))
    async with asyncio.timeout(5.0):
        toll.release(await toll.pay(plan_for()), sent=False)


class Stumbling(Rates):
    """Fails where a request that has its place in the queue looks when to come back."""

    def refusal(self, key: RateKey, now: float) -> Shut | None:
        raise ZeroDivisionError


async def test_who_stumbles_on_the_way_into_the_queue_does_not_stay_in_it() -> None:
    rates = Stumbling(RateMode.QUEUE, b"secret")
    toll = Toll(rates)
    key = rates.key_of(plan_for().permitted)
    rates.close(key, Shut(Reason.EXHAUSTED, asyncio.get_running_loop().time() + 5.0))
    with pytest.raises(ZeroDivisionError):
        await toll.pay(plan_for())
    assert toll.waiting == 0
    with pytest.raises(RateShield):
        await toll.pay(plan_for(1.0))


class Refusing(MemoryStore):
    """Refuses once, for a moment, whom it is told to."""

    refuses = False

    async def enter(
        self, doors: Sequence[str], key: str, limit: int, window_s: float
    ) -> Bar | Receipt:
        if self.refuses:
            self.refuses = False
            return Bar("", 0.1)
        return Receipt(key, 0.0)


async def test_whom_the_store_refuses_in_his_turn_stays_before_whoever_came_later() -> None:
    store = Refusing()
    toll = toll_of("queue", store)
    one = "X-Rate-Limit-Group: light\nX-Rate-Limit-Limit: 1\nX-Rate-Limit-Window: 0.2\n"
    left, none = f"{one}X-Rate-Limit-Remaining: 1", f"{one}X-Rate-Limit-Remaining: 0"
    toll.settle(await toll.pay(plan_for()), reply_of(200, none))
    store.refuses = True
    order: list[int] = []

    async def pay(number: int) -> None:
        spent = await toll.pay(plan_for())
        order.append(number)
        toll.settle(spent, reply_of(200, left))

    async with asyncio.timeout(20.0):
        await asyncio.gather(*map(pay, range(3)))
    assert order == [0, 1, 2]
    assert not store.refuses
    assert toll.waiting == 0

"""What is to wait for a window goes on, whatever the moment it comes at."""

import asyncio

import pytest

from gateway.engine.toll import Toll
from gateway.errors import RateShield
from gateway.policy.rate_buckets import Reason, Shut
from gateway.policy.rate_groups import RateKey
from gateway.policy.rates import RateMode, Rates
from tests.engine.test_toll import answer, plan_for, toll_of


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

"""Room that a fleet has again, because what was counted was never sent, is found before the end."""

import asyncio
from collections.abc import Sequence

import pytest

from gateway.engine.toll import Toll
from gateway.policy import rate_buckets
from gateway.policy.rates import RateMode, Spent
from gateway.stores.memory import MemoryStore
from gateway.stores.store import Bar, Receipt
from tests.engine.test_toll_fleet import count_free, learn, plan_for, refusal, told, toll_over
from tests.eventually import eventually


class Counting(MemoryStore):
    """Counts how often it is asked."""

    asked = 0

    async def enter(
        self, doors: Sequence[str], key: str, limit: int, window_s: float
    ) -> Bar | Receipt:
        self.asked += 1
        return await super().enter(doors, key, limit, window_s)


async def fill(spending: Toll, other: Toll) -> list[Spent]:
    """Let both learn the limit of four, and one spend the rest; return what may be taken back."""
    for toll in (spending, other):
        await learn(toll)
    return [await spending.pay(plan_for()) for _ in range(2)]


async def take_back(toll: Toll, spent: list[Spent]) -> None:
    for one in spent:
        toll.release(one, sent=False)
    await told(toll)


@pytest.mark.parametrize("is_own", [True, False], ids=["by itself", "by another"])
async def test_what_is_taken_back_leaves_room_before_the_window_does(is_own: bool) -> None:
    store = MemoryStore()
    one, other = toll_over(store), toll_over(store)
    spending = one if is_own else other
    spent = await fill(spending, other if is_own else one)
    shield = await refusal(one)
    assert shield.reason == "exhausted"
    assert shield.retry_after_s > 30
    await take_back(spending, spent)
    assert await count_when_open(one) == 2


async def count_when_open(toll: Toll) -> int:
    """Pay, again and again, until the fleet has room; return for how many it had."""
    free = 0
    async with asyncio.timeout(30.0):
        while not free:
            await asyncio.sleep(0.02)
            free = await count_free(toll)
    return free


async def test_what_is_taken_back_is_for_who_waits_in_line() -> None:
    store = MemoryStore()
    one, other = toll_over(store), toll_over(store, RateMode.QUEUE, 200.0)
    spent = await fill(one, other)
    waiting = [asyncio.create_task(other.pay(plan_for(for_s=200.0))) for _ in range(2)]
    await eventually(lambda: other.waiting == 2)
    await take_back(one, spent)
    async with asyncio.timeout(30.0):
        await asyncio.gather(*waiting)
    assert other.waiting == 0


async def test_while_there_is_no_room_the_store_is_not_asked_for_each_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rate_buckets, "ASK_AGAIN_S", 600.0)
    store = Counting()
    toll = toll_over(store)
    await fill(toll_over(store), toll)
    ends_at, asked = (await refusal(toll)).retry_at, store.asked
    assert {(await refusal(toll)).retry_at for _ in range(100)} == {ends_at}
    assert store.asked == asked

"""What an attempt pays: alone, in a fleet, and while it waits for a window."""

import asyncio
from collections.abc import Callable

import pytest

from gateway.engine.fleet_budgets import FleetBudgets
from gateway.engine.toll import Toll
from gateway.errors import RateShield
from gateway.policy.forward import Plan
from gateway.policy.rate_groups import Fare
from gateway.policy.rates import RateMode, Rates, Spent
from gateway.stores.memory import MemoryStore
from gateway.stores.store import StoreDown
from tests.policy.world import plan_of, reply_of

PATH = "/restapi/v1.0/account/~"
FULL = "X-Rate-Limit-Group: light\nX-Rate-Limit-Limit: 2\nX-Rate-Limit-Window: {}\n"


def plan_for(seconds: float = 30.0) -> Plan:
    """Return a plan whose deadline is so many seconds away."""
    plan = plan_of("GET", PATH)
    now = asyncio.get_running_loop().time()
    return Plan(plan.permitted, plan.outbound, now + seconds)


def toll_of(mode: str, shared: MemoryStore | None = None, **bounds: float) -> Toll:
    rates = Rates(RateMode(mode), b"secret")
    return Toll(
        rates,
        FleetBudgets(shared) if shared is not None else None,
        max_wait_s=bounds.get("max_wait_s", 30.0),
        max_queue=int(bounds.get("max_queue", 100)),
    )


def answer(toll: Toll, spent: Spent, remaining: int, window_s: float = 60.0) -> None:
    """Settle with an answer that says what remains of two requests a window."""
    fields = FULL.format(window_s) + f"X-Rate-Limit-Remaining: {remaining}"
    toll.settle(spent, reply_of(200, fields))


async def shut(toll: Toll, window_s: float = 60.0) -> None:
    """Let an answer say that nothing remains."""
    answer(toll, await toll.pay(plan_for()), 0, window_s)


@pytest.mark.parametrize("mode", ["shield", "queue"])
async def test_a_shut_door_is_told_at_once_when_nobody_can_wait_so_long(mode: str) -> None:
    toll = toll_of(mode)
    await shut(toll)
    with pytest.raises(RateShield, match=r"^Request rate exceeded") as shield:
        await toll.pay(plan_for())
    assert 59 <= shield.value.retry_after_s <= 60
    assert shield.value.reason == "exhausted"
    assert toll.waiting == 0


async def test_switched_off_it_learns_nothing_and_keeps_nothing() -> None:
    toll = toll_of("off", MemoryStore())
    spent = toll.pay_now(Fare(plan_for().permitted), 1.0)
    assert spent is not None
    answer(toll, spent, 0)
    toll.settle(await toll.pay(plan_for()), reply_of(429, "Retry-After: 60"))
    toll.release(await toll.pay(plan_for()), sent=True)
    assert len(toll.rates) == 0
    shielding = toll.rates.in_mode(RateMode.SHIELD)
    assert isinstance(shielding.spend(shielding.key_of(plan_for().permitted), 1.0), Spent)


@pytest.mark.parametrize("mode", ["off", "observe"])
async def test_nothing_is_refused_where_nothing_is_to_be(mode: str) -> None:
    toll = toll_of(mode)
    await shut(toll)
    await toll.pay(plan_for())


async def test_who_waits_goes_when_the_window_is_over() -> None:
    toll = toll_of("queue")
    await shut(toll, 0.2)
    waiting = [asyncio.create_task(toll.pay(plan_for())) for _ in range(2)]
    await asyncio.sleep(0)
    assert toll.waiting == 2
    for spent in await asyncio.gather(*waiting):
        answer(toll, spent, 1)
    assert toll.waiting == 0


async def test_whoever_comes_later_stands_behind_who_waits() -> None:
    toll = toll_of("queue")
    await shut(toll, 0.2)
    order: list[str] = []

    async def pay(name: str) -> None:
        answer(toll, await toll.pay(plan_for()), 2, 0.2)
        order.append(name)

    first = asyncio.create_task(pay("first"))
    await asyncio.sleep(0)
    second = asyncio.create_task(pay("second"))
    await asyncio.gather(first, second)
    assert order == ["first", "second"]


async def test_a_full_queue_and_too_long_a_wait_are_refused_as_by_the_shield() -> None:
    toll = toll_of("queue", max_queue=1)
    await shut(toll, 0.2)
    waiting = asyncio.create_task(toll.pay(plan_for()))
    await asyncio.sleep(0)
    with pytest.raises(RateShield, match=r"^Request rate exceeded"):
        await toll.pay(plan_for())
    toll.release(await waiting, sent=False)
    await shut(toll, 5)
    with pytest.raises(RateShield):
        await toll.pay(plan_for(0.5))


async def test_who_is_never_let_go_gets_the_refusal_when_the_time_is_up() -> None:
    toll = toll_of("queue", max_wait_s=0.3)
    first = await toll.pay(plan_for())
    answer(toll, first, 1)
    held = await toll.pay(plan_for())
    # Nothing remains while that one is under way, and no door is shut that could open.
    with pytest.raises(RateShield, match=r"^Request rate exceeded"):
        await toll.pay(plan_for())
    assert toll.waiting == 0
    toll.release(held, sent=False)


async def test_who_gives_up_leaves_the_place_to_the_next() -> None:
    toll = toll_of("queue")
    await shut(toll, 0.2)
    gone = asyncio.create_task(toll.pay(plan_for()))
    stays = asyncio.create_task(toll.pay(plan_for()))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert toll.waiting == 1
    toll.release(await stays, sent=False)
    assert toll.waiting == 0


async def test_a_fleet_lets_through_no_more_than_the_limit_that_one_of_it_learned() -> None:
    store = MemoryStore()
    fleet = [toll_of("shield", store) for _ in range(4)]
    passed = 0
    for toll in fleet:
        try:
            answer(toll, await toll.pay(plan_for()), 1)
            passed += 1
            await asyncio.sleep(0)
        except RateShield:
            continue
    for toll in fleet:
        with pytest.raises(RateShield) as shield:
            await toll.pay(plan_for())
        assert 1 <= shield.value.retry_after_s <= 62
    assert passed == 2


class Counting(MemoryStore):
    """Counts how often it is asked, and can be down or slow."""

    def __init__(self, during: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.asked = 0
        self.during = during

    async def spend(self, key: str, limit: int, window_s: float) -> float:
        self.asked += 1
        self.during()
        return await super().spend(key, limit, window_s)


async def test_a_door_that_is_shut_here_costs_no_question() -> None:
    store = Counting()
    toll = toll_of("shield", store)
    await shut(toll)
    for _ in range(5):
        with pytest.raises(RateShield):
            await toll.pay(plan_for())
    assert store.asked == 1


def fall() -> None:
    raise StoreDown("away")


async def test_a_store_that_is_down_leaves_everybody_to_himself() -> None:
    toll = toll_of("shield", Counting(fall))
    await shut(toll)
    with pytest.raises(RateShield):
        await toll.pay(plan_for())


def stumble() -> None:
    raise ZeroDivisionError


async def test_what_fails_on_the_way_is_not_counted_as_under_way() -> None:
    toll = toll_of("shield")
    answer(toll, await toll.pay(plan_for()), 1)
    toll._shared = FleetBudgets(Counting(stumble))
    with pytest.raises(ZeroDivisionError):
        await toll.pay(plan_for())
    toll._shared = None
    toll.release(await toll.pay(plan_for()), sent=False)


async def test_a_burst_at_the_start_waits_for_the_answer_that_tells_the_limit() -> None:
    toll = toll_of("shield")
    first = await toll.pay(plan_for())
    burst = [asyncio.create_task(toll.pay(plan_for())) for _ in range(5)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in burst)
    answer(toll, first, 1)
    done = await asyncio.gather(*burst, return_exceptions=True)
    assert [isinstance(one, Spent) for one in done].count(True) == 1


async def test_nobody_waits_for_a_first_answer_when_another_one_told_the_limit() -> None:
    told = toll_of("shield")
    answer(told, await told.pay(plan_for()), 2, window_s=0.05)
    toll = Toll(told.rates.in_mode(RateMode.SHIELD))
    spent = [
        toll.pay_now(Fare(plan_for().permitted), asyncio.get_running_loop().time())
        for _ in range(3)
    ]
    assert [one is not None for one in spent] == [True, True, False]
    await asyncio.sleep(0.1)
    # What is under way counts in the next window, too, as long as no answer says more.
    for one in spent[:2]:
        assert one is not None
        answer(toll, one, 2, window_s=0.05)
    await asyncio.sleep(0.1)
    paying = [asyncio.create_task(toll.pay(plan_for())) for _ in range(3)]
    await asyncio.sleep(0.05)
    assert [one.done() for one in paying] == [True] * 3
    assert [one.exception() is None for one in paying] == [True, True, False]


async def test_a_request_that_fails_does_not_end_the_wait_for_the_first_answer_to_another() -> None:
    toll = toll_of("shield")
    first = await toll.pay(plan_for())
    waiting = asyncio.create_task(toll.pay(plan_for()))
    await asyncio.sleep(0)
    key = toll.rates.key_of(plan_for().permitted)
    toll.release(Spent(key, 0, None, was_told=True), sent=False)
    await asyncio.sleep(0.01)
    assert not waiting.done()
    answer(toll, first, 2)
    await waiting

"""gateway/policy/rates.py before a vendor made up here: fixed or sliding windows, penalties."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import RateShield
from gateway.policy.rate_fields import RateFields
from gateway.policy.rate_groups import RateKey
from gateway.policy.rates import RateMode, Rates, Spent
from tests.policy.world import rate_fields

HEAVY = RateKey("platform", "ringcentral", "heavy", "GET /heavy")
WINDOW_S = 60.0


@dataclass
class Vendor:
    """Counts what comes, and begins a penalty anew for each request within it."""

    limit: int
    sliding: bool
    came: list[float] = field(default_factory=list)
    shut_until: float = 0.0
    refused: int = 0
    trapped: int = 0

    def ask(self, now: float) -> tuple[int, RateFields | None]:
        start = now - WINDOW_S if self.sliding else now // WINDOW_S * WINDOW_S - 1e-9
        recent = sum(at > start for at in self.came)
        self.trapped += now < self.shut_until
        if now < self.shut_until or recent >= self.limit:
            self.refused += 1
            self.shut_until = now + WINDOW_S
            return 429, rate_fields("heavy", 0, self.limit)
        self.came.append(now)
        return 200, rate_fields("heavy", self.limit - recent - 1, self.limit)


def drive(
    rates: Rates, vendor: Vendor, steps: list[tuple[float, bool]], order: st.DataObject
) -> None:
    """Send requests that the vendor gets at once and answers later, in any order."""
    now = 1000.0
    waiting: list[tuple[Spent, int, RateFields | None]] = []
    for wait_s, sends in steps:
        now += wait_s
        if sends:
            shut = rates.refusal(HEAVY, now)
            if shut is None:
                waiting.append((rates.spend(HEAVY, now), *vendor.ask(now)))
                continue
            with pytest.raises(RateShield) as caught:
                rates.spend(HEAVY, now)
            assert now < caught.value.retry_at == shut.until
            assert shut.until - 1e-6 <= now + caught.value.retry_after_s < shut.until + 1
        elif waiting:
            spent, status, told = waiting.pop(order.draw(st.integers(0, len(waiting) - 1)))
            rates.learn(spent, status, told, None, now)
            # As soon as a 429 is known here, nothing more goes before its window is over.
            if status == 429:
                shut = rates.refusal(HEAVY, now)
                assert shut is not None
                assert shut.until >= now + WINDOW_S


STEPS = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 1.0, 7.0, 31.0]), st.booleans()), max_size=80)


@settings(deadline=None)
@pytest.mark.parametrize("sliding", [True, False])
@given(steps=STEPS, limit=st.integers(1, 6), order=st.data())
def test_once_the_limit_is_learned_the_vendor_never_has_to_refuse(
    sliding: bool, steps: list[tuple[float, bool]], limit: int, order: st.DataObject
) -> None:
    rates, vendor = Rates(RateMode.SHIELD, b"key"), Vendor(limit, sliding)
    rates.learn(rates.spend(HEAVY, 999.9), *vendor.ask(999.9), None, 999.9)
    drive(rates, vendor, steps, order)
    assert vendor.refused == 0


@settings(deadline=None)
@pytest.mark.parametrize("sliding", [True, False])
@given(steps=STEPS, limit=st.integers(1, 6), order=st.data())
def test_a_refusal_is_exact_from_the_first_request_on(
    sliding: bool, steps: list[tuple[float, bool]], limit: int, order: st.DataObject
) -> None:
    drive(Rates(RateMode.SHIELD, b"key"), Vendor(limit, sliding), steps, order)


@pytest.mark.parametrize("sliding", [True, False])
def test_a_loop_that_ignores_429_is_trapped_without_the_shield_and_not_with_it(
    sliding: bool,
) -> None:
    def loop(send: Callable[[float], object]) -> None:
        for second in range(600):
            send(1000.0 + second)

    alone, behind, rates = Vendor(10, sliding), Vendor(10, sliding), Rates(RateMode.SHIELD, b"key")

    def send(now: float) -> None:
        try:
            spent = rates.spend(HEAVY, now)
        except RateShield:
            return
        rates.learn(spent, *behind.ask(now), None, now)

    loop(alone.ask)
    loop(send)
    assert (behind.refused, behind.trapped) == (0, 0)
    # Ten requests and then a window of silence, again and again.
    assert len(behind.came) >= 80
    assert alone.trapped > 500


@pytest.mark.parametrize("sliding", [True, False])
def test_traffic_that_never_rests_is_not_held_back_for_what_it_has_in_flight(
    sliding: bool,
) -> None:
    """Four overlapping requests all the time, at half of the limit: nothing is refused."""
    rates, vendor = Rates(RateMode.SHIELD, b"key"), Vendor(60, sliding)
    waiting: list[tuple[Spent, int, RateFields | None]] = []
    for second in range(0, 1200, 2):
        now = 1000.0 + second
        waiting.append((rates.spend(HEAVY, now), *vendor.ask(now)))
        if len(waiting) > 4:
            spent, status, told = waiting.pop(0)
            rates.learn(spent, status, told, None, now)
    assert vendor.refused == 0

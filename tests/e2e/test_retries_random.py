"""Faults at random: no POST is carried out twice, and nothing that could be saved is lost.

A second attempt needs a budget. `RetryBudget` itself keeps a count that is never more than
what the gateway has, because it grows by requests alone; while it allows nothing, no fault
is chosen that would need it.
"""

import random

import pytest

from gateway.policy.retries import RetryBudget
from tests.e2e.asked import KINDS, Kind, Ready, carried, prepare
from tests.e2e.test_retries_faults import BODY_CUT, CASES, SAFE, Fault, expire, fail
from tests.e2e.vendor import owning
from tests.wire import Running

REQUESTS = 200
FAULT_SHARE = 0.5
# The vendor gives out five tokens a minute, the first of them before any trouble.
MOST_EXPIRIES = 4
# What costs the budget, when the request is idempotent, and is worth no second without one.
SAVABLE = [case[1] for case in CASES if case[2] == SAFE and case[3] == "stale"]
SAVABLE.append(fail(503, "0"))
LOST = [case[1] for case in CASES if case[2] != SAFE and case[1] is not expire]


class Chance:
    """Chooses what is asked and what happens to it, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._budget = RetryBudget(0.0)
        self._expiries = MOST_EXPIRIES

    def kind(self) -> Kind:
        return self._random.choice(list(KINDS.values()))

    def fault(self, kind: Kind) -> Fault | None:
        """Return what happens to a request, if anything; its message was another one."""
        self._budget.earned += 1
        self._budget.earned += 1
        if self._random.random() > FAULT_SHARE:
            return None
        fault = self._random.choice([expire, *SAVABLE, *LOST])
        if fault is BODY_CUT and kind.verb == "DELETE":
            # Its answer has no body, and there is nothing to be cut.
            return None
        if fault is expire:
            self._expiries -= 1
            return expire if self._expiries >= 0 else None
        is_paid = fault in SAVABLE and kind.is_idempotent
        return None if is_paid and not self._budget.take(0.0) else fault


def check(asked: Ready, fault: Fault | None, answered: int, arrived: int, done: int) -> None:
    """Hold what became of a request against what should have."""
    kind = asked.kind
    assert arrived <= 2
    if not kind.is_idempotent:
        assert done <= 1
    is_saved = fault in (None, expire) or (fault in SAVABLE and kind.is_idempotent)
    if not is_saved:
        assert (answered == kind.success, arrived) == (False, 1)
    elif answered == 404:
        # Removed by the attempt whose answer was lost; RFC 9110 section 9.2.2 lets it differ.
        assert (kind.verb, arrived, done) == ("DELETE", 2, 1)
    else:
        assert answered == kind.success
        assert (arrived, done >= 1) == (1 if fault is None else 2, True)


@pytest.mark.parametrize("seed", range(3))
async def test_no_post_is_carried_out_twice_and_nothing_savable_is_lost(seed: int) -> None:
    chance = Chance(seed)
    async with owning() as (upstream, gateway):
        for _ in range(REQUESTS):
            kind = chance.kind()
            asked = await prepare(gateway, kind)
            fault = chance.fault(kind)
            if fault is not None:
                fault(upstream, kind.verb)
            answered = await asked.ask(gateway)
            check(asked, fault, answered, *carried(upstream, asked))
        assert_all_happened(gateway)


def assert_all_happened(gateway: Running) -> None:
    """Fail when chance left something out, so that nothing was proved of it."""
    reasons = [reason for record in gateway.records for reason in record.retries]
    assert set(reasons) == {"token", "stale", "status-503"}
    assert reasons.count("stale") > 5

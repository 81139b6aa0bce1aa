"""The vendor's limits as a fleet keeps them: one count, and one set of doors, for all gateways.

Every request is counted, also while nobody knows the limit. The first gateway to learn it
tells it to the others through the store, so that one which comes late keeps to it from its
first request on. So does the one that meets a penalty, because a request of any other one
would begin it anew; the last end that anybody knows of counts.

Rule 1: one question to the store for each request, and a second one only until the limit
        is known here.
Rule 2: a limit that cannot be told now is told after the next answer, and one that is in use
        before the store forgets it: a caller's token leaves nothing behind for ever.
Rule 3: a question that nobody waits for any longer goes on: the store finds out by it that
        it is down, and a door that is shut is shut here, too, when the answer comes.
Rule 4: what was counted and never sent is taken back: by whoever gives up, if he paid, and
        here, if he was gone before the answer came.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from gateway.policy.rate_buckets import Reason, Shut
from gateway.policy.rate_groups import RateKey
from gateway.policy.rates import Budget
from gateway.policy.recent import Recent
from gateway.stores.store import Bar, Receipt, Store, StoreDown

# More than any limit that is documented, and few enough to be counted one by one.
_COUNTED = 1000, 60.0
# What leaves here first may arrive last; by this much the fleet's window is the longer one.
_SLACK = 1.02
_MOST_TOLD = 4096
# A limit is told again after half of its time, so that the store knows it for another half after
# its last answer: for two windows, when whatever counted is forgotten, and for long enough to
# start a gateway anew. Ten minutes are a sixth of the hour that a caller's token lives.
_KEPT_WINDOWS, _KEPT_AT_LEAST_S = 4, 600.0
_RECORD = re.compile(rb"([0-9]{1,9}) ([0-9]{1,9}(?:\.[0-9]{1,9})?)")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the fleet lets nobody through, and for how many seconds."""

    reason: Reason
    wait_s: float


Hear = Callable[[RateKey, Refusal], object]


class FleetBudgets:
    """Counts, and doors, in a shared store.

    `identities` tell the application of a credential from another one that is called the same;
    `clock` is monotonic seconds.
    """

    def __init__(
        self,
        store: Store,
        identities: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._identities = identities or {}
        self._clock = clock
        # What was told, and until when that is enough.
        self._told: Recent[tuple[str, str], tuple[Budget, float]] = Recent(_MOST_TOLD)
        # Tasks that nobody waits for.
        self._telling: set[asyncio.Task[Any]] = set()

    async def ask(
        self, key: RateKey, budget: Budget | None, until: float, hear: Hear
    ) -> Refusal | Receipt | None:
        """Return what `spend` returns; raises `StoreDown`, too, when it is not there in time.

        `until` is event-loop seconds; a refusal that comes later is for `hear`. Who is told of
        `StoreDown` goes, so that what is counted for him later stays.
        """
        loop = asyncio.get_running_loop()
        asking = loop.create_task(self.spend(key, budget))
        try:
            await asyncio.wait((asking,), timeout=until - loop.time())
        except asyncio.CancelledError:
            # Redis may have counted already: only its answer tells what to take back.
            self._begin(self._take_back_late(asking))
            raise
        if asking.done():
            return asking.result()
        asking.add_done_callback(partial(_pass_on, key, hear))
        self._keep(asking)
        raise StoreDown("the store has not answered soon enough")

    async def spend(self, key: RateKey, budget: Budget | None) -> Refusal | Receipt | None:
        """Count a request, which may go then; or return why it may not.

        None when it may go without being counted: it is one too many for a limit that nobody
        knows. Raises `StoreDown`.
        """
        place, door = self._place(key), self._door(key)
        limits = (budget.limit, budget.window_s) if budget else await self._read(key)
        # A window of which nothing is allowed is shut by the answers that say so.
        limit, window_s = (max(limits[0], 1), limits[1] * _SLACK) if limits else _COUNTED
        bar = await self._store.enter((place, door), place, limit, window_s)
        if not isinstance(bar, Bar):
            return bar
        if limits is None and not bar.door:
            return None
        reasons = {place: Reason.PENALTY, door: Reason.ACCOUNT}
        return Refusal(reasons.get(bar.door, Reason.EXHAUSTED), bar.wait_s)

    def take_back(self, receipt: Receipt) -> None:
        """Have a request that was not sent counted no longer."""
        self._begin(self._take_back(receipt))

    def tell(self, key: RateKey, budget: Budget | None) -> None:
        """Have the others know a limit: at each change of it, and while it is in use."""
        if budget is None:
            return
        now = self._clock()
        told = self._told.get(key.bucket)
        if told is not None and told[0] == budget and now < told[1]:
            return
        self._told.put(key.bucket, (budget, now + _kept_s(budget) / 2))
        self._begin(self._write(key, budget))

    def shut(self, key: RateKey, shut: Shut) -> None:
        """Have the others know a door that a 429 shut here."""
        if key.windows:
            # Where windows are documented a 429 prolongs nothing, and nothing is asked for.
            return
        door = self._door(key) if shut.reason is Reason.ACCOUNT else self._place(key)
        self._begin(self._shut(door, shut.until))

    def _begin(self, telling: Coroutine[None, None, None]) -> None:
        self._keep(asyncio.get_running_loop().create_task(telling))

    def _keep(self, task: asyncio.Task[Any]) -> None:
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _take_back(self, receipt: Receipt) -> None:
        # What a store that is away has counted leaves its window by itself.
        with suppress(StoreDown):
            await self._store.take_back(receipt)

    async def _take_back_late(self, asking: asyncio.Task[Refusal | Receipt | None]) -> None:
        with suppress(StoreDown):
            answer = await asking
            if isinstance(answer, Receipt):
                await self._store.take_back(answer)

    async def _shut(self, door: str, until: float) -> None:
        # Without a store every process learns of a penalty by itself.
        with suppress(StoreDown):
            await self._store.shut(door, until - asyncio.get_running_loop().time())

    async def _read(self, key: RateKey) -> tuple[int, float] | None:
        entry = await self._store.read(self._limit(key)) if key.group else None
        found = _RECORD.fullmatch(entry.value) if entry is not None else None
        return None if found is None else (int(found[1]), float(found[2]))

    async def _write(self, key: RateKey, budget: Budget) -> None:
        name, kept_s = self._limit(key), _kept_s(budget)
        try:
            is_known = await self._read(key) == (budget.limit, budget.window_s)
            if is_known and await self._store.keep(name, kept_s):
                return
            lease = await self._store.lease(name)
            if lease is None:
                return
            try:
                await lease.write(b"%d %.9f" % (budget.limit, budget.window_s))
                await self._store.keep(name, kept_s)
            finally:
                await lease.release()
        except StoreDown:
            with suppress(KeyError):
                self._told.drop(key.bucket)

    def _limit(self, key: RateKey) -> str:
        return f"limit:{self._owner(key)}/{key.group}"

    def _place(self, key: RateKey) -> str:
        """Return the name of what is counted, and shut, together."""
        return f"rate:{self._owner(key)}/{key.group}"

    def _door(self, key: RateKey) -> str:
        # No group begins so.
        return f"rate:{self._owner(key)}/@{key.upstream}"

    def _owner(self, key: RateKey) -> str:
        identity = self._identities.get(key.credential)
        return f"{key.credential}:{identity}" if identity else key.credential


def _kept_s(budget: Budget) -> float:
    return max(_KEPT_WINDOWS * budget.window_s, _KEPT_AT_LEAST_S)


def _pass_on(key: RateKey, hear: Hear, asked: asyncio.Task[Refusal | Receipt | None]) -> None:
    if asked.cancelled() or asked.exception() is not None:
        return
    answer = asked.result()
    if isinstance(answer, Refusal):
        hear(key, answer)

"""The vendor's limits as a fleet keeps them: one count in the store for all gateways.

Every request is counted, also while nobody knows the limit. The first gateway to learn it
tells it to the others through the store, so that one which comes late keeps to it from its
first request on.

Rule 1: one question to the store for each request, and a second one only until the limit
        is known here.
Rule 2: what cannot be told now is told after the next answer.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress

from gateway.policy.rate_groups import RateKey
from gateway.policy.rates import Budget
from gateway.policy.recent import Recent
from gateway.stores.store import Store, StoreDown

# More than any limit that is documented, and few enough to be counted one by one.
_MOST_COUNTED = 1000
_COUNTED_WINDOW_S = 60.0
# What leaves here first may arrive last; by this much the fleet's window is the longer one.
_SLACK = 1.02
_MOST_TOLD = 4096
_RECORD = re.compile(rb"([0-9]{1,9}) ([0-9]{1,9}(?:\.[0-9]{1,9})?)")


class FleetBudgets:
    """Counts in a shared store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._told: Recent[tuple[str, str], tuple[int, float]] = Recent(_MOST_TOLD)
        self._telling: set[asyncio.Task[None]] = set()

    async def spend(self, key: RateKey, budget: Budget | None) -> float:
        """Count a request; return 0.0 when it may go, else the seconds until it may.

        Raises `StoreDown`.
        """
        name = _name(key)
        limits = (budget.limit, budget.window_s) if budget else await self._read(name)
        if limits is None:
            await self._store.spend(f"rate:{name}", _MOST_COUNTED, _COUNTED_WINDOW_S)
            return 0.0
        limit, window_s = limits
        # A window of which nothing is allowed is shut by the answers that say so.
        return await self._store.spend(f"rate:{name}", max(limit, 1), window_s * _SLACK)

    def tell(self, key: RateKey, budget: Budget | None) -> None:
        """Have the others know a limit, once for each change of it."""
        if budget is None or self._told.get(key.bucket) == (budget.limit, budget.window_s):
            return
        self._told.put(key.bucket, (budget.limit, budget.window_s))
        task = asyncio.get_running_loop().create_task(self._write(key, budget))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _read(self, name: str) -> tuple[int, float] | None:
        entry = await self._store.read(f"limit:{name}")
        found = _RECORD.fullmatch(entry.value) if entry is not None else None
        return None if found is None else (int(found[1]), float(found[2]))

    async def _write(self, key: RateKey, budget: Budget) -> None:
        name = _name(key)
        try:
            if await self._read(name) == (budget.limit, budget.window_s):
                return
            lease = await self._store.lease(f"limit:{name}")
            if lease is None:
                return
            try:
                await lease.write(b"%d %.9f" % (budget.limit, budget.window_s))
            finally:
                await lease.release()
        except StoreDown:
            with suppress(KeyError):
                self._told.drop(key.bucket)


def _name(key: RateKey) -> str:
    return "/".join(key.bucket)

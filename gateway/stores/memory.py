"""The store of one process: what it holds ends with it.

Everything happens between two awaits of one event loop, so there is nothing to lock; a
lease is held until it is released, since who holds it cannot be gone without us.

Rule: it behaves as the shared stores do, so that what works with it works with them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from gateway.stores.doors import Doors, find_bar, shut_door
from gateway.stores.store import Bar, Entry, Lease, Receipt
from gateway.stores.window import spend_one, take_one_back


class MemoryStore:
    """Entries, leases and budgets in dictionaries; `clock` is monotonic seconds."""

    trouble: str | None = None

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: dict[str, Entry] = {}
        self._ends: dict[str, float] = {}
        self._fences: dict[str, int] = {}
        self._held: dict[str, _MemoryLease] = {}
        self._bells: dict[str, asyncio.Event] = {}
        self._spent: dict[str, list[float]] = {}
        self._doors: Doors = {}

    async def read(self, key: str) -> Entry | None:
        """Return the entry of a key."""
        return self._known(key)

    async def keep(self, key: str, for_s: float) -> bool:
        """Have an entry forgotten so many seconds from now."""
        if self._known(key) is None:
            return False
        self._ends[key] = self._clock() + for_s
        return True

    async def lease(self, key: str, *, floor: int = 0) -> Lease | None:
        """Take the lease on a key unless it is held."""
        if key in self._held:
            return None
        fence = self._fences[key] = max(self._fences.get(key, 0), floor) + 1
        lease = self._held[key] = _MemoryLease(self, key, fence)
        return lease

    async def changed(self, key: str, version: int, timeout_s: float) -> bool:
        """Wait for a write or a release; at once when there is a reason already."""
        entry = self._known(key)
        if key not in self._held or (entry is not None and entry.version > version):
            return True
        bell = self._bells.setdefault(key, asyncio.Event())
        try:
            async with asyncio.timeout(timeout_s):
                await bell.wait()
        except TimeoutError:
            return False
        return True

    async def spend(self, key: str, limit: int, window_s: float) -> float:
        """Spend one, or return the seconds until one is free."""
        spent = self._spent.get(key, [])
        self._spent[key], wait_s = spend_one(spent, self._clock(), limit, window_s)
        return wait_s

    async def shut(self, door: str, for_s: float) -> None:
        """Keep a door shut for so many seconds."""
        shut_door(self._doors, door, self._clock(), for_s)

    async def enter(
        self, doors: Sequence[str], key: str, limit: int, window_s: float
    ) -> Bar | Receipt:
        """Spend one if all these doors are open, or return what keeps from it."""
        bar = find_bar(self._doors, doors, self._clock())
        if bar is not None:
            return bar
        wait_s = await self.spend(key, limit, window_s)
        return Bar("", wait_s) if wait_s else Receipt(key, self._spent[key][-1])

    async def take_back(self, receipt: Receipt) -> None:
        """Count no longer what was spent in vain."""
        left = take_one_back(self._spent.pop(receipt.key, ()), receipt.at)
        if left:
            self._spent[receipt.key] = left

    async def close(self) -> None:
        """Release every lease."""
        for lease in list(self._held.values()):
            await lease.release()

    def write(self, key: str, entry: Entry) -> bool:
        """Keep an entry unless a newer one is there."""
        known = self._known(key)
        if known is not None and known.version > entry.version:
            return False
        self._entries[key] = entry
        self._ring(key)
        return True

    def free(self, key: str, lease: _MemoryLease) -> None:
        """End a lease if it is the one that is held."""
        if self._held.get(key) is lease:
            del self._held[key]
            self._ring(key)

    def _known(self, key: str) -> Entry | None:
        """Return the entry of a key, forgotten if its time is over."""
        if key in self._ends and self._ends[key] <= self._clock():
            del self._ends[key], self._entries[key]
        return self._entries.get(key)

    def _ring(self, key: str) -> None:
        bell = self._bells.pop(key, None)
        if bell is not None:
            bell.set()


class _MemoryLease:
    is_lost = False

    def __init__(self, store: MemoryStore, key: str, fence: int) -> None:
        self._store = store
        self._key = key
        self.fence = fence

    async def write(self, value: bytes) -> bool:
        return self._store.write(self._key, Entry(self.fence, value))

    async def release(self) -> None:
        self._store.free(self._key, self)

"""Leases that are kept alive in the background for as long as they are held.

How a lease is taken, renewed and freed is the store's business, a `Grip`; when, and when
it counts as lost, is decided here.

Rule 1: a lease counts as lost before another process can have it: its time runs from
        before the question, not from the answer.
Rule 2: what was lost stays lost, and what nobody waits for any more is given back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from gateway.stores.store import StoreDown

# Two renewals may fail before a lease is lost.
RENEWALS = 3


class Grip(Protocol):
    """A lease as one kind of store has it; each method may raise `StoreDown`."""

    @property
    def fence(self) -> int:
        """Return the fencing number."""
        ...

    async def renew(self) -> bool:
        """Let the lease's time begin anew; False when it is not ours any more."""
        ...

    async def write(self, value: bytes) -> bool:
        """Write under the fence; False when a newer one has written."""
        ...

    async def free(self) -> None:
        """Let others have it."""
        ...


class HeldLease:
    """A `Lease` over a grip; `since` is the monotonic second before it was asked for."""

    def __init__(
        self, grip: Grip, lease_s: float, since: float, ended: Callable[[HeldLease], None]
    ) -> None:
        self.fence = grip.fence
        self._ended = ended
        self._grip = grip
        self._lease_s = lease_s
        self._until = since + lease_s
        self._lost = False
        self._freed: asyncio.Task[None] | None = None
        self._keeping = asyncio.create_task(self._keep())

    @property
    def is_lost(self) -> bool:
        """Tell whether another process may hold it now."""
        return self._lost or time.monotonic() >= self._until

    async def write(self, value: bytes) -> bool:
        """Write under the fence, also when the lease is lost."""
        return await self._grip.write(value)

    async def release(self) -> None:
        """Stop renewing and free the grip, even when the one who releases is cancelled."""
        if self._freed is None:
            self._keeping.cancel()
            self._freed = asyncio.create_task(self._free())
        await asyncio.shield(self._freed)

    async def _keep(self) -> None:
        while not self._lost:
            await asyncio.sleep(self._lease_s / RENEWALS)
            with suppress(StoreDown):
                since = time.monotonic()
                if since < self._until and await self._grip.renew():
                    self._until = since + self._lease_s
                else:
                    self._lost = True

    async def _free(self) -> None:
        # What cannot be freed runs out by itself.
        with suppress(StoreDown):
            await self._grip.free()
        self._ended(self)


class Leases:
    """Every lease that one store has given."""

    def __init__(self, lease_s: float) -> None:
        self.lease_s = lease_s
        self._held: set[HeldLease] = set()
        self._orphans: set[asyncio.Task[None]] = set()

    async def take(self, grasp: Callable[[], Awaitable[Grip | None]]) -> HeldLease | None:
        """Hold what `grasp` gets; when the asker is cancelled, give it back."""
        taking = asyncio.create_task(self._hold(grasp))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            orphan = asyncio.create_task(_give_back(taking))
            self._orphans.add(orphan)
            orphan.add_done_callback(self._orphans.discard)
            raise

    async def release(self) -> None:
        """Release every lease, and wait for those that are being given back."""
        await asyncio.gather(*self._orphans, *(lease.release() for lease in self._held))

    async def _hold(self, grasp: Callable[[], Awaitable[Grip | None]]) -> HeldLease | None:
        since = time.monotonic()
        grip = await grasp()
        if grip is None:
            return None
        lease = HeldLease(grip, self.lease_s, since, self._held.discard)
        self._held.add(lease)
        return lease


async def _give_back(taking: asyncio.Task[HeldLease | None]) -> None:
    with suppress(StoreDown):
        lease = await taking
        if lease is not None:
            await lease.release()

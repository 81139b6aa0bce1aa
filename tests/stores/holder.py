"""A process with a store of its own, which does what its standard input says.

Each line is a command and its argument; each is answered by a line of JSON.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any

from gateway.config.redis_address import parse_redis_address
from gateway.core.secret import Secret
from gateway.stores.file import FileStore
from gateway.stores.redis import RedisStore
from gateway.stores.sealed import Sealed
from gateway.stores.store import Lease, Store
from tests.stores.telling import Told

KEY = "token:ringcentral"
LONG_S = 30.0


def store_at(place: Mapping[str, Any]) -> Store:
    """Make a store that waits for longer than a loaded machine takes."""
    told = Told()
    store: Store
    if "file" in place:
        store = FileStore(place["file"], told, lease_s=place["lease_s"], lock_wait_s=LONG_S)
    else:
        store = RedisStore(
            parse_redis_address(place["redis"]),
            told,
            prefix=place["prefix"],
            lease_s=place["lease_s"],
            timeout_s=LONG_S,
        )
    return Sealed(store, Secret(bytes(32)), told) if place["sealed"] else store


class Holder:
    """The store, and the lease that was taken last."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._held: Lease | None = None

    @property
    def held(self) -> Lease:
        assert self._held is not None
        return self._held

    async def lease(self, argument: str) -> int | None:
        self._held = await self.store.lease(KEY)
        return None if self._held is None else self._held.fence

    async def write(self, argument: str) -> bool:
        return await self.held.write(argument.encode())

    async def lost(self, argument: str) -> bool:
        return self.held.is_lost

    async def count(self, argument: str) -> list[int]:
        """Add one to the entry so often, each time under a lease; return the fences."""
        fences: list[int] = []
        while len(fences) < int(argument):
            lease = await self.store.lease(KEY)
            if lease is None:
                entry = await self.store.read(KEY)
                await self.store.changed(KEY, entry.version if entry else 0, LONG_S)
                continue
            entry = await self.store.read(KEY)
            assert await lease.write(str(int(entry.value) + 1 if entry else 1).encode())
            fences.append(lease.fence)
            await lease.release()
        return fences

    async def spend(self, argument: str) -> int:
        """Try so often to spend one of five a minute; return how often it could be."""
        waits = [await self.store.spend("auth:app", 5, 60.0) for _ in range(int(argument))]
        return waits.count(0.0)


async def obey() -> None:
    holder = Holder(store_at(json.loads(sys.argv[1])))
    while line := await asyncio.to_thread(sys.stdin.readline):
        command, _, argument = line.strip().partition(" ")
        sys.stdout.write(json.dumps(await getattr(holder, command)(argument)) + "\n")
        sys.stdout.flush()
    await holder.store.close()


if __name__ == "__main__":
    asyncio.run(obey())

"""Where a store keeps chains of tokens: each in a record of its own, named by its seed.

Gateways that share a store may have different secrets under one name: two users of one
application, or a fleet that is given a new refresh token one gateway after the other. The
newest pair of a chain may be the only copy, so that no chain is written over another one.

Rule 1: a chain is written under its own name, and only by those who carry it on.
Rule 2: who cannot know what its chain began with goes on with the one that was begun last.
Rule 3: a record under the credential's key alone is that of a version which kept one chain.
        It is read while its chain has no other, and left as it is.
"""

from __future__ import annotations

from contextlib import suppress

from gateway.credentials.holding import Holding, parse, render
from gateway.stores.store import Lease, Store, StoreDown


class Chains:
    """The chains of one credential, by seed; every method may raise `StoreDown`."""

    def __init__(self, key: str, store: Store) -> None:
        self._key = key
        self._store = store
        # The seed of a chain that was begun here, until it is known to be the latest.
        self._begun: str | None = None

    async def latest(self) -> str:
        """Return the seed of the chain that was begun last, "" when there is none."""
        entry = await self._store.read(_pointer(self._key))
        if entry is not None:
            return entry.value.decode("ascii", "replace")
        alone = await self._alone()
        return alone[1].seed if alone is not None else ""

    async def read(self, seed: str) -> tuple[int, Holding | None]:
        """Return the version and the newest pair of a chain; 0 when there is no record."""
        entry = await self._store.read(name_of(self._key, seed))
        if entry is not None:
            holding = parse(entry.value)
            return entry.version, holding if holding and holding.seed == seed else None
        alone = await self._alone()
        return alone if alone is not None and alone[1].seed == seed else (0, None)

    async def lease(self, seed: str, floor: int) -> Lease | None:
        """Take the lease on a chain, or return None when somebody else holds it now."""
        return await self._store.lease(name_of(self._key, seed), floor=floor)

    async def changed(self, seed: str, version: int, timeout_s: float) -> None:
        """Wait until it is worth to read a chain, or to ask for its lease, again."""
        await self._store.changed(name_of(self._key, seed), version, timeout_s)

    async def write(self, lease: Lease, holding: Holding) -> bool:
        """Write a pair under the lease on its chain; False when a newer one is there."""
        seed = holding.seed
        if await self._store.read(name_of(self._key, seed)) is None:
            self._begun = seed
        written = await lease.write(render(holding))
        if written and self._begun == seed:
            # The pair is safe; who knows its seed finds it without this, which is made up for.
            with suppress(StoreDown):
                self._begun = None if await self._point_at(seed) else seed
        return written

    def are_one(self, seed: str, other: str) -> bool:
        """Tell whether chains with these seeds have one record."""
        return name_of(self._key, seed) == name_of(self._key, other)

    async def _alone(self) -> tuple[int, Holding] | None:
        entry = await self._store.read(self._key)
        holding = parse(entry.value) if entry is not None else None
        return None if entry is None or holding is None else (entry.version, holding)

    async def _point_at(self, seed: str) -> bool:
        lease = await self._store.lease(_pointer(self._key))
        if lease is None:
            return False
        try:
            return await lease.write(seed.encode())
        finally:
            await lease.release()


def name_of(key: str, seed: str) -> str:
    """Return the name of a chain's record, that of the credential for a chain without a seed.

    It has the first word of the seed: what follows tells chains apart of which only the last one
    is worth its place, because it is begun anew with each token that it is exchanged for.
    """
    return f"{key}:{seed.partition(' ')[0]}" if seed else key


def _pointer(key: str) -> str:
    return f"latest:{key}"

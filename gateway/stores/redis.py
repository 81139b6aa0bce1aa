"""The store in Redis or Valkey: shared by the gateways of a fleet.

Every step that must not be torn apart is one script, so two gateways never hold one
lease, and one that was paused never writes over what is newer.

Rule 1: nobody waits for a Redis that is down: the first failure is remembered, everyone
        is told at once, and a probe in the background finds out when it is back.
Rule 2: the library's errors end here, and so do its texts.
Rule 3: nothing is tried twice: a script may have run although its answer was lost.
Rule 4: a Redis that answers, but not as many as ask, is down for those whose time is up.
"""

from __future__ import annotations

import asyncio
import math
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gateway.config.redis_address import RedisAddress
from gateway.stores import redis_scripts
from gateway.stores.events import Events
from gateway.stores.health import Health
from gateway.stores.leases import Grip, Leases
from gateway.stores.redis_connection import connect, explain, failures, heeding_cancellation
from gateway.stores.store import Bar, Entry, Lease, Receipt, StoreDown
from gateway.stores.waiting import wait_until

if TYPE_CHECKING:
    from redis.commands.core import AsyncScript

# One answers tens of thousands of scripts a second; the library has a hundred at most, and takes
# the need of one more for a failure.
MOST_CONNECTIONS = 32
_NAMES = (
    *("TAKE", "RENEW", "FREE", "WRITE", "READ", "KEEP", "IS_NEWS"),
    *("SPEND", "SHUT", "ENTER", "TAKE_BACK", "PROBE"),
)


class RedisStore:
    """A store at an address; `timeout_s` bounds each question: place, connect and answer."""

    def __init__(
        self,
        address: RedisAddress,
        events: Events,
        *,
        prefix: str = "rcgw:",
        ca_file: str = "",
        lease_s: float = 10.0,
        poll_s: float = 0.05,
        timeout_s: float = 2.0,
        retry_s: float = 1.0,
    ) -> None:
        self._address = address
        self._prefix = prefix
        self._poll_s = poll_s
        self._retry_s = retry_s
        self._timeout_s = timeout_s
        self._health = Health(events)
        self._leases = Leases(lease_s)
        self._redis = connect(address, ca_file=ca_file, timeout_s=timeout_s)
        self._failures = failures()
        self._places = asyncio.Semaphore(MOST_CONNECTIONS)
        self._scripts: dict[str, AsyncScript] = {
            name: self._redis.register_script(getattr(redis_scripts, name)) for name in _NAMES
        }
        self._recovery: asyncio.Task[None] | None = None

    @property
    def trouble(self) -> str | None:
        """Return why Redis is taken to be down."""
        return self._health.trouble

    async def read(self, key: str) -> Entry | None:
        """Return the entry of a key."""
        version, value = await self._run("READ", [self._hash(key)])
        return None if version is None else Entry(int(version), value)

    async def keep(self, key: str, for_s: float) -> bool:
        """Have an entry forgotten so many seconds from now."""
        return bool(await self._run("KEEP", [self._hash(key)], max(1, math.ceil(for_s * 1e3))))

    async def lease(self, key: str, *, floor: int = 0) -> Lease | None:
        """Take the lease on a key unless it is held."""
        return await self._leases.take(lambda: self._grasp(key, floor))

    async def changed(self, key: str, version: int, timeout_s: float) -> bool:
        """Ask Redis until there is news."""

        async def is_news() -> bool:
            names = [self._hash(key), self._lease(key)]
            return bool(await self._run("IS_NEWS", names, version))

        return await wait_until(is_news, timeout_s, self._poll_s)

    async def spend(self, key: str, limit: int, window_s: float) -> float:
        """Spend one, or return the seconds until one is free."""
        wait_us = await self._run("SPEND", [self._budget(key)], limit, round(window_s * 1e6))
        return int(wait_us) / 1e6

    async def shut(self, door: str, for_s: float) -> None:
        """Keep a door shut for so many seconds."""
        await self._run("SHUT", [self._door(door)], max(1, math.ceil(for_s * 1e3)))

    async def enter(
        self, doors: Sequence[str], key: str, limit: int, window_s: float
    ) -> Bar | Receipt:
        """Spend one if all these doors are open, or return what keeps from it."""
        names = [self._budget(key), *map(self._door, doors)]
        found = await self._run("ENTER", names, limit, round(window_s * 1e6))
        if isinstance(found, list):
            place, wait_ms = found
            return Bar(doors[place], wait_ms / 1e3)
        return Bar("", found / 1e6) if found > 0 else Receipt(key, -found)

    async def take_back(self, receipt: Receipt) -> None:
        """Count no longer what was spent in vain."""
        await self._run("TAKE_BACK", [self._budget(receipt.key)], f"{receipt.at:.0f}")

    async def close(self) -> None:
        """Release every lease and close the connections."""
        await self._leases.release()
        if self._recovery is not None:
            self._recovery.cancel()
            await asyncio.wait([self._recovery])
        with suppress(*self._failures):
            await self._redis.aclose()

    async def _grasp(self, key: str, floor: int) -> Grip | None:
        grip = _RedisGrip(self._run, self._hash(key), self._lease(key), self._leases.lease_s)
        return grip if await grip.take(floor) else None

    async def _run(self, name: str, keys: list[str], *arguments: bytes | str | int) -> Any:
        """Run a script; the one border where a failure becomes `StoreDown`."""
        if self._health.trouble is not None:
            raise StoreDown(self._health.trouble)
        try:
            return await self._ask(name, keys, arguments)
        except self._failures as error:
            down = self._health.fail(f"redis at {self._address} {explain(error)}")
        if self._recovery is None:
            self._recovery = asyncio.create_task(self._recover())
        raise down

    async def _ask(
        self, name: str, keys: list[str], arguments: tuple[bytes | str | int, ...]
    ) -> Any:
        with heeding_cancellation():
            async with asyncio.timeout(self._timeout_s), self._places:
                # It may have failed while this one waited for its place.
                if self._health.trouble is not None:
                    raise StoreDown(self._health.trouble)
                return await self._scripts[name](keys=keys, args=arguments)

    async def _recover(self) -> None:
        """Probe until Redis takes a write again."""
        while True:
            await asyncio.sleep(self._retry_s)
            try:
                with heeding_cancellation():
                    await self._scripts["PROBE"](keys=[f"{self._prefix}probe"])
            except self._failures as error:
                self._health.fail(f"redis at {self._address} {explain(error)}")
                continue
            self._recovery = None
            self._health.succeed()
            return

    def _hash(self, key: str) -> str:
        # What stands in braces chooses the slot.
        slot, slash, rest = key.partition("/")
        return f"{self._prefix}{{{slot}}}{slash}{rest}"

    def _lease(self, key: str) -> str:
        return f"{self._hash(key)}:lease"

    def _budget(self, key: str) -> str:
        return f"{self._hash(key)}:spent"

    def _door(self, name: str) -> str:
        return f"{self._hash(name)}:shut"


class _RedisGrip:
    fence = 0

    def __init__(self, run: Callable[..., Any], entry: str, lease: str, lease_s: float) -> None:
        self._run = run
        self._entry = entry
        self._lease = lease
        self._lease_ms = max(1, round(lease_s * 1000))
        self._mark = secrets.token_hex(16)

    async def take(self, floor: int) -> bool:
        names = [self._entry, self._lease]
        self.fence = await self._run("TAKE", names, self._mark, self._lease_ms, floor)
        return self.fence > 0

    async def renew(self) -> bool:
        return bool(await self._run("RENEW", [self._lease], self._mark, self._lease_ms))

    async def write(self, value: bytes) -> bool:
        return bool(await self._run("WRITE", [self._entry], self.fence, value))

    async def free(self) -> None:
        await self._run("FREE", [self._lease], self._mark)

"""What `/readyz` depends on besides the gateway itself, where `ops.ready_requires` says so.

It is looked after all the time, and not only when somebody asks: a gateway that is not ready
gets no request that would find out that it could be, and a probe does not wait.

Rule 1: what is not known yet is not there.
Rule 2: no token is obtained for this: a credential looks after itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TypeAlias

from gateway.app.gateway import Gateway
from gateway.stores.store import Store, StoreDown

# By name what is wrong, None for what is well.
Found: TypeAlias = Mapping[str, str | None]

# Probes come every few seconds, and the first one soon after the start.
_FIRST_LOOK_S = 0.1
_LOOK_EVERY_S = 1.0
_LOOK_WHEN_WELL_S = 5.0
# No such key: the question is whether there is an answer.
_NO_KEY = "readiness"


class Requirements:
    """Looks after what a gateway and its store must have; `tell` hears what each look found."""

    def __init__(self, gateway: Gateway, store: Store, tell: Callable[[Found], None]) -> None:
        self._gateway = gateway
        self._store = store
        self._tell = tell
        self._store_was_asked = False
        self._watching: asyncio.Task[None] | None = None

    def watch(self) -> None:
        """Look after what the configuration requires by now, from now on."""
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        if self._gateway.config.ops.ready_requires:
            self._watching = asyncio.get_running_loop().create_task(self._watch())
            self._watching.add_done_callback(_tell_bug)

    async def stop(self) -> None:
        """Look no more."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
            self._watching = None

    def found(self) -> dict[str, str | None]:
        """Return what is required, and what is wrong with it."""
        wanted, gateway = self._gateway.config.ops.ready_requires, self._gateway
        found: dict[str, str | None] = {}
        if "credentials" in wanted:
            missing = gateway.credentials.missing()
            found |= {f"credential {name}": why for name, why in missing.items()}
        if "store" in wanted:
            found["store"] = self._store.trouble if self._store_was_asked else "not asked yet"
        if "upstreams" in wanted:
            found |= {f"upstream {name}": pool.trouble for name, pool in gateway.pools.items()}
        return found

    async def _watch(self) -> None:
        wait_s = _FIRST_LOOK_S
        while True:
            await self._look()
            found = self.found()
            self._tell(found)
            is_well = all(why is None for why in found.values())
            await asyncio.sleep(_LOOK_WHEN_WELL_S if is_well else wait_s)
            wait_s = _FIRST_LOOK_S if is_well else min(2 * wait_s, _LOOK_EVERY_S)

    async def _look(self) -> None:
        """Ask what may have changed, and what only an attempt finds out."""
        wanted = self._gateway.config.ops.ready_requires
        if "upstreams" in wanted:
            for pool in self._gateway.pools.values():
                pool.probe()
        if "store" in wanted:
            with suppress(StoreDown):
                await self._store.read(_NO_KEY)
            self._store_was_asked = True


def _tell_bug(watching: asyncio.Task[None]) -> None:
    """Have it known that nobody looks any more, which nothing but a bug of ours ends."""
    error = None if watching.cancelled() else watching.exception()
    if error is not None:
        context = {"message": "readiness is not looked after any more", "exception": error}
        watching.get_loop().call_exception_handler(context)

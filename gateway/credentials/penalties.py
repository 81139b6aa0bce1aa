"""How long the vendor wants no token call, as a fleet remembers it.

A call during a penalty begins it anew. So whoever is told to wait tells the others through
the store, and they do not call either, although each of them would be the first.

Rule 1: moments are seconds since the epoch; no wait is believed that is longer than a day.
Rule 2: a store that is down is told to whoever asks, and told nothing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress

from gateway.stores.store import Store, StoreDown

_LONGEST_S = 86_400.0
_RECORD = re.compile(rb"[0-9]{1,12}\.[0-9]{1,6}")


class Penalties:
    """The penalties of applications, by the key of their budget."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    async def left_s(self, key: str) -> float:
        """Return how many seconds of a penalty are left, 0.0 for none; raises `StoreDown`."""
        entry = await self._store.read(f"shut:{key}")
        if entry is None or _RECORD.fullmatch(entry.value) is None:
            return 0.0
        return min(max(float(entry.value) - self._clock(), 0.0), _LONGEST_S)

    async def tell(self, key: str, wait_s: float) -> None:
        """Let everybody know that there is a penalty from now on."""
        until = self._clock() + min(wait_s, _LONGEST_S)
        with suppress(StoreDown):
            lease = await self._store.lease(f"shut:{key}")
            if lease is not None:
                try:
                    await lease.write(b"%.3f" % until)
                finally:
                    await lease.release()

"""One moment to come: the latest one that was set, or none.

Rule: once closed it never rings, whatever is set.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Alarm:
    """Calls `ring` once at the event-loop time that was set last."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop = loop
        self._ring = ring
        self._handle: asyncio.TimerHandle | None = None
        self._closed = False

    def set(self, at: float) -> None:
        """Ring at `at`, and not at what was set before."""
        self.cancel()
        if not self._closed:
            self._handle = self._loop.call_at(at, self._ring)

    def cancel(self) -> None:
        """Do not ring."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def close(self) -> None:
        """Do not ring any more."""
        self._closed = True
        self.cancel()

"""How a process ends: the first signal drains, the second one stops at once.

Rule: a signal that comes before anything can be drained counts all the same.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger


@dataclass(frozen=True, slots=True)
class Stopped:
    """How it ended: how many requests were cut, and whether a second signal did it."""

    requests_cut: int
    at_once: bool

    def tell(self, log: FilteringBoundLogger) -> int:
        """Log it; return the exit code: 0 after a drain, 1 after a second signal."""
        if self.at_once:
            log.warning("stopped at once", requests_cut=self.requests_cut)
            return 1
        level = logging.WARNING if self.requests_cut else logging.INFO
        log.log(level, "stopped", requests_cut=self.requests_cut)
        return 0


class Stopping:
    """Waits for signals to stop; one object for the life of a process."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._draining: asyncio.Future[int] | None = None
        self._signals = 0

    def listen(self) -> None:
        """Take SIGTERM and SIGINT from now on."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal)

    async def asked(self) -> None:
        """Wait for the first signal."""
        await self._asked.wait()

    async def drain(self, drain: Awaitable[int], abort: Callable[[], Awaitable[int]]) -> Stopped:
        """Drain, or abort at the second signal; both return how many requests they have cut."""
        self._draining = asyncio.ensure_future(drain)
        if self._signals > 1:
            self._draining.cancel()
        try:
            return Stopped(await self._draining, at_once=False)
        except asyncio.CancelledError:
            return Stopped(await abort(), at_once=True)

    def _on_signal(self) -> None:
        self._signals += 1
        if self._draining is not None:
            self._draining.cancel()
        self._asked.set()

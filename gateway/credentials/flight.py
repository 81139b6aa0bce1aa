"""The renewal under way: at most one at a time, which whoever needs it can wait for.

Rule 1: who gives up waiting does not end it, because others wait too.
Rule 2: this module knows nothing of tokens; what goes wrong in a flight goes on to whoever waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Flight:
    """Runs `fly` when it is asked to, unless it runs already."""

    def __init__(self, fly: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._fly = fly
        self._task: asyncio.Task[None] | None = None
        self._is_wanted = False

    @property
    def is_under_way(self) -> bool:
        """Tell whether it runs now."""
        return self._task is not None

    def begin(self) -> None:
        """Begin, unless it is under way."""
        self._task = self._under_way()

    def begin_again(self) -> None:
        """Begin; if it is under way, once more when that has ended."""
        self._is_wanted = self.is_under_way
        self.begin()

    async def landed(self, deadline: float) -> None:
        """Wait for the end of what is under way, or begins now; raises `TimeoutError`."""
        self._task = task = self._under_way()
        async with asyncio.timeout_at(deadline):
            await asyncio.shield(task)

    async def close(self, within_s: float) -> None:
        """Give what is under way so many seconds to end, then cancel it."""
        self._is_wanted = False
        if (task := self._task) is not None:
            await asyncio.wait((task,), timeout=within_s)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _under_way(self) -> asyncio.Task[None]:
        return self._task or asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        try:
            await self._fly()
        finally:
            self._task = None
            if self._is_wanted:
                self.begin_again()

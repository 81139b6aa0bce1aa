"""Wait for another process by looking again and again.

What is waited for takes a token call, some hundred milliseconds; polling needs no
connection that stays open, and no message that can be missed.

Rule: looks are spread, so that a fleet that waits does not look all at once.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

_SPREAD = random.SystemRandom()


async def wait_until(look: Callable[[], Awaitable[bool]], timeout_s: float, every_s: float) -> bool:
    """Look about every `every_s` until it is so; False when it is not so in time."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + timeout_s
    while not await look():
        left_s = deadline - clock()
        if left_s <= 0:
            return False
        await asyncio.sleep(min(left_s, every_s * _SPREAD.uniform(0.5, 1.5)))
    return True

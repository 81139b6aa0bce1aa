"""Waiting for what tells nobody when it comes."""

import asyncio
from collections.abc import Callable

# Far more than any test needs; reached only by a test that hangs.
PATIENCE_S = 30.0


async def eventually(holds: Callable[[], object]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.005)

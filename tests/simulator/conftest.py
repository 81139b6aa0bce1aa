from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from gateway.simulator import TOKEN, Running, start

# When the clocks of the `simulator` stand at 0.
EPOCH_S = 1_800_000_000


@pytest.fixture
def now() -> list[float]:
    """Return the seconds that the clocks of the `simulator` show; a test moves them."""
    return [0.0]


@pytest.fixture
async def simulator(now: list[float]) -> AsyncIterator[Running]:
    running = await start(clock=lambda: now[0], wall=lambda: EPOCH_S + now[0])
    yield running
    await running.close()


@pytest.fixture
async def client(simulator: Running) -> AsyncIterator[ClientSession]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with ClientSession(simulator.origin, headers=headers) as session:
        yield session

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from gateway.simulator import TOKEN, Running, start


@pytest.fixture
async def simulator() -> AsyncIterator[Running]:
    running = await start()
    yield running
    await running.close()


@pytest.fixture
async def client(simulator: Running) -> AsyncIterator[ClientSession]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with ClientSession(simulator.origin, headers=headers) as session:
        yield session

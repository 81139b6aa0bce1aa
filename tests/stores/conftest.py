"""A store of each kind, made anew for each test."""

from collections.abc import AsyncIterator, Callable

import pytest

from gateway.stores.memory import MemoryStore
from gateway.stores.store import Store
from tests.stores.telling import Told

KINDS = ("memory",)
Open = Callable[[], Store]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    made = MemoryStore()
    yield made
    await made.close()

"""A store of each kind, made anew for each test, and a Redis for each worker."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from gateway.core.secret import Secret
from gateway.stores.file import FileStore
from gateway.stores.memory import MemoryStore
from gateway.stores.redis import RedisStore
from gateway.stores.sealed import Sealed
from gateway.stores.store import Store
from tests.redis_server import RedisServer
from tests.stores.telling import Told

KINDS = ("memory", "file", "redis")
SEAL = Secret(bytes(range(32)))
# No test waits for it, and no load of the machine makes a lease be lost.
LEASE_S = 60.0

OpenStore = Callable[[], Store]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_prefix() -> str:
    """Return a prefix that no other test uses."""
    return f"test-{os.urandom(6).hex()}:"


@pytest.fixture
def file_path(tmp_path: Path) -> Path:
    """Return where a file may be; it is not there yet."""
    directory = tmp_path / "state"
    directory.mkdir(mode=0o700)
    return directory / "tokens.json"


@pytest.fixture(params=[*KINDS, *(f"sealed {kind}" for kind in KINDS)])
async def open_store(request: pytest.FixtureRequest, told: Told) -> AsyncIterator[OpenStore]:
    """Give what makes one more store over the same place, as another process would."""
    wrap, _, kind = request.param.rpartition(" ")
    memory = MemoryStore()

    def make() -> Store:
        if kind == "memory":
            return memory
        if kind == "file":
            path = request.getfixturevalue("file_path")
            return FileStore(str(path), told, lease_s=LEASE_S, lock_wait_s=LEASE_S)
        address = request.getfixturevalue("shared_redis").address
        prefix = request.getfixturevalue("redis_prefix")
        return RedisStore(address, told, prefix=prefix, lease_s=LEASE_S, timeout_s=LEASE_S)

    async with AsyncExitStack() as stack:

        def open_one() -> Store:
            store = Sealed(make(), SEAL, told) if wrap else make()
            stack.push_async_callback(store.close)
            return store

        yield open_one


@pytest.fixture
def store(open_store: OpenStore) -> Store:
    return open_store()


@pytest.fixture
def other(open_store: OpenStore) -> Store:
    """Return another store over the same place."""
    return open_store()


@pytest.fixture(params=["file", "redis", "sealed file", "sealed redis"])
def shared_place(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return a place that several processes can be given."""
    wrap, _, kind = request.param.rpartition(" ")
    place: dict[str, Any] = {"sealed": bool(wrap), "lease_s": LEASE_S}
    if kind == "file":
        return place | {"file": str(request.getfixturevalue("file_path"))}
    address = request.getfixturevalue("shared_redis").address
    return place | {"redis": str(address), "prefix": request.getfixturevalue("redis_prefix")}

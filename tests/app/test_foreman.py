"""The parent of workers; callers see it in tests/e2e/test_callers_workers.py."""

import asyncio
import os
import signal
import socket

import pytest

from gateway.app.foreman import Foreman
from gateway.app.hand import WorkerFailed
from gateway.config.load import Loaded, load
from gateway.engine.listen import CannotBind
from gateway.errors import ConfigError
from tests.app.hiring import SETS, Log, children
from tests.wire import PATIENCE_S

BROKEN = "stores.redis=env:RC_GATEWAY_NOWHERE"


def loaded_of(*sets: str) -> Loaded:
    return load([], [*SETS, *sets], {})


def foreman_of(log: Log, *sets: str) -> Foreman:
    loaded = loaded_of(*sets)
    return Foreman(loaded, log.open, lambda: loaded, 1)


async def stopped(foreman: Foreman) -> int:
    os.kill(os.getpid(), signal.SIGTERM)
    return await asyncio.wait_for(foreman.until_stopped(), PATIENCE_S)


async def test_it_listens_changes_and_stops() -> None:
    log = Log()
    foreman = foreman_of(log)
    await foreman.open()
    (first,) = foreman._workers()
    assert await foreman.change(loaded_of("log.level=debug", "timeouts.drain_s=2")) != [first]
    assert foreman.config.timeouts.drain_s == 2
    assert await stopped(foreman) == 0
    events = [line["event"] for line in log.lines()]
    assert events[0] == "listening"
    assert events[-1] == "stopped"
    assert log.lines()[0]["workers"] == [first]


@pytest.mark.parametrize("key", ["listener.bind", "ops.bind"])
async def test_a_port_that_is_taken_leaves_nothing_open(key: str) -> None:
    before = children()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        foreman = foreman_of(Log(), f'{key}="127.0.0.1:{taken.getsockname()[1]}"')
        with pytest.raises(CannotBind, match="in use"):
            await foreman.open()
    for bind in foreman.binds:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(bind.host, bind.port)
    assert children() == before


async def test_workers_that_cannot_begin_end_the_start() -> None:
    foreman = foreman_of(Log(), BROKEN)
    with pytest.raises(WorkerFailed):
        await foreman.open()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(foreman.binds[0].host, foreman.binds[0].port)


async def test_workers_that_cannot_begin_refuse_a_change() -> None:
    foreman = foreman_of(Log())
    await foreman.open()
    before = foreman.config, foreman._workers(), foreman.binds
    more = "listener.bind=['127.0.0.1:0', '127.0.0.1:0']"
    with pytest.raises(ConfigError, match="a worker by this configuration ended with exit code 78"):
        await foreman.change(loaded_of(BROKEN, more))
    assert (foreman.config, foreman._workers(), foreman.binds) == before
    assert await stopped(foreman) == 0

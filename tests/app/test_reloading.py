"""One reload after another, and what each one says; through a process: e2e/test_callers_reload."""

import asyncio
import errno
import io
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from gateway.app.reloading import Reloading
from gateway.app.service import Service
from gateway.config.load import Loaded, load
from gateway.errors import ConfigError, Problem
from gateway.ops.log_output import open_log
from tests.wire import PATIENCE_S

SETS = ('credentials.ringcentral.grant="none"', 'listener.bind="127.0.0.1:0"')


def loaded_of(*sets: str) -> Loaded:
    return load([], [*SETS, *sets], {})


class Told:
    """A service that is reloaded by a function, and the lines of its log."""

    def __init__(self, read: Callable[[], Loaded]) -> None:
        self.stream = io.BytesIO()
        self.service = Service(
            loaded_of().config, lambda log: open_log(log.level, log.format, self.stream)
        )
        self.reloading = Reloading(self.service, read)

    async def reload(self) -> dict[str, Any]:
        """Reload once; return the last line."""
        self.reloading.ask()
        await self.ended()
        return self.lines()[-1]

    async def ended(self) -> None:
        task = self.reloading._task
        assert task is not None
        await asyncio.wait_for(asyncio.wait((task,)), PATIENCE_S)

    def lines(self) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in self.stream.getvalue().splitlines()]


@asynccontextmanager
async def told(read: Callable[[], Loaded]) -> AsyncIterator[Told]:
    one = Told(read)
    await one.service.gateway.open()
    one.reloading.open()
    yield one
    await one.reloading.close()
    await one.service.gateway.abort()


async def test_a_change_is_told_by_its_paths_and_never_by_its_values() -> None:
    async with told(lambda: loaded_of("user_agent.comment=hidden")) as one:
        line = await one.reload()
        assert (line["event"], line["level"]) == ("reloaded", "info")
        assert (line["changed"], line["renewed"]) == (["user_agent.comment"], [])
        assert line["binds"] == [str(bind) for bind in one.service.gateway.binds]
        assert "hidden" not in one.stream.getvalue().decode()


async def test_every_problem_is_told_and_nothing_changes() -> None:
    def read() -> Loaded:
        raise ConfigError((Problem("a.b", "is\nwrong"), Problem("c", "is, too")))

    async with told(read) as one:
        before = one.service.gateway.config
        line = await one.reload()
        assert (line["event"], line["level"]) == ("reload refused", "error")
        assert line["problems"] == ["a.b: is wrong", "c: is, too"]
        assert one.service.gateway.config is before


async def test_stores_stay_and_so_does_all_else() -> None:
    async with told(lambda: loaded_of("stores.file=/tmp/x", "log.level=error")) as one:
        before = one.service.gateway.config
        line = await one.reload()
        assert line["problems"][0].startswith("stores.file: cannot change while the gateway runs")
        assert one.service.gateway.config is before


async def test_a_file_of_authorities_that_is_gone_changes_nothing() -> None:
    async with told(lambda: loaded_of("upstreams.platform.ca_file=/nowhere/ca.pem")) as one:
        line = await one.reload()
        assert line["problems"] == ["a ca_file cannot be used: No such file or directory"]


async def test_a_want_of_descriptors_is_told_as_what_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(_loaded: Loaded) -> list[str]:
        raise OSError(errno.EMFILE, "Too many open files")

    async with told(loaded_of) as one:
        monkeypatch.setattr(one.service, "change", fail)
        line = await one.reload()
        assert line["problems"] == ["no file descriptor is left for it (ulimit -n)"]


async def test_a_bug_is_told_and_the_next_reload_works() -> None:
    turns = iter((ZeroDivisionError("bug"), None))

    def read() -> Loaded:
        if (error := next(turns)) is not None:
            raise error
        return loaded_of("log.format=console")

    async with told(read) as one:
        line = await one.reload()
        assert line["event"] == "reload failed"
        assert "ZeroDivisionError" in line["exception"]
        one.reloading.ask()
        await one.ended()
        assert b"reloaded" in one.stream.getvalue()


async def test_who_asks_meanwhile_causes_one_more_that_reads_anew() -> None:
    entered, go, reads = asyncio.Event(), threading.Event(), 0
    loop = asyncio.get_running_loop()

    def read() -> Loaded:
        nonlocal reads
        reads += 1
        loop.call_soon_threadsafe(entered.set)
        go.wait(PATIENCE_S)
        return loaded_of()

    async with told(read) as one:
        one.reloading.ask()
        await asyncio.wait_for(entered.wait(), PATIENCE_S)
        for _ in range(3):
            one.reloading.ask()
        go.set()
        await one.ended()
        assert reads == 2
        assert [line["event"] for line in one.lines()] == ["reloaded"] * 2


async def test_nothing_is_reloaded_once_it_is_closed() -> None:
    async with told(loaded_of) as one:
        one.reloading.ask()
        await one.reloading.close()
        one.reloading.ask()
        assert one.reloading._task is None
        assert one.lines() == []


async def test_a_signal_that_comes_when_it_is_closed_ends_nothing() -> None:
    before = signal.getsignal(signal.SIGHUP)
    try:
        async with told(loaded_of) as one:
            one.reloading.listen()
            await one.reloading.close()
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


async def test_who_asks_too_early_is_heeded_later() -> None:
    one = Told(loaded_of)
    one.reloading.ask()
    assert one.lines() == []
    await one.service.gateway.open()
    one.reloading.open()
    await one.ended()
    assert [line["event"] for line in one.lines()] == ["reloaded"]
    await one.reloading.close()
    await one.service.gateway.abort()

"""Several workers behind one parent: they end, are killed, lose their parent."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.e2e.crews import (
    ask,
    count_of,
    keep_asking,
    show,
    two_workers,
    workers_of,
)
from tests.started import Started
from tests.wire import (
    OK,
    PATIENCE_S,
    Peer,
    answering,
    request,
    values,
)


async def test_a_killed_worker_is_replaced_and_the_others_go_on(tmp_path: Path) -> None:
    stop, done = asyncio.Event(), asyncio.Semaphore(0)
    async with two_workers(tmp_path / "gateway.toml", answering(OK)) as (gateway, _):
        before = workers_of(gateway.started.process.pid)
        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        ended = await gateway.started.event("worker ended")
        assert (ended["worker"], ended["exit_code"]) == (victim, -9)
        assert ended["delay_s"] == 0.25
        # The other one serves before there is a new one, and after.
        async with asyncio.TaskGroup() as callers:
            for _ in range(4):
                callers.create_task(keep_asking(gateway.started, stop, done))
            started = await gateway.started.event("worker started")
            for _ in range(50):
                await done.acquire()
            stop.set()
        after = workers_of(gateway.started.process.pid)
        assert after == before - {victim} | {started["worker"]}
        assert "[+]all workers ok" in await show(gateway, "/readyz?verbose")
        assert count_of(await show(gateway, "/metrics"), "rcgw_worker_restarts_total") == 1


@pytest.mark.parametrize("everybody", [False, True], ids=["parent", "everybody"])
async def test_a_drain_under_load_loses_no_request(tmp_path: Path, everybody: bool) -> None:
    loaded = asyncio.Semaphore(0)

    async def ask_until_closed(gateway: Started) -> None:
        while True:
            try:
                peer = await gateway.dial()
            except ConnectionRefusedError:
                return
            stays = True
            while stays:
                _, stays = await ask(peer)
                loaded.release()
            peer.close()

    async with two_workers(tmp_path / "gateway.toml", answering(OK)) as (gateway, _):
        async with asyncio.TaskGroup() as callers:
            for _ in range(8):
                callers.create_task(ask_until_closed(gateway.started))
            for _ in range(200):
                await loaded.acquire()
            # As a service manager does that stops the whole group at once.
            for worker in workers_of(gateway.started.process.pid) if everybody else ():
                os.kill(worker, signal.SIGTERM)
            gateway.started.process.terminate()
        stopped = await gateway.started.event("stopped")
        assert (stopped["level"], stopped["requests_cut"]) == ("info", 0)
        assert await gateway.started.code() == 0
        assert await gateway.started.errors() == ""


async def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        asked.set()
        await peer.read_to_end()

    async with two_workers(tmp_path / "gateway.toml", script) as (gateway, _):
        peer = await gateway.started.dial()
        await peer.send(request())
        await asked.wait()
        gateway.started.process.terminate()
        await gateway.started.event("draining")
        gateway.started.process.terminate()
        assert await peer.is_cut()
        assert (await gateway.started.event("stopped at once"))["requests_cut"] == 1
        assert await gateway.started.code() == 1
        peer.close()


async def test_workers_without_a_parent_drain(tmp_path: Path) -> None:
    asked, go = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        asked.set()
        await go.wait()
        await peer.send(OK)

    async with two_workers(tmp_path / "gateway.toml", script) as (gateway, _):
        peer = await gateway.started.dial()
        await peer.send(request())
        await asked.wait()
        gateway.started.process.kill()
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    (await gateway.started.dial()).close()
                except ConnectionError:
                    break
        go.set()
        status, head, _ = await peer.read_answer()
        assert (status, values(head, b"connection")) == (200, [b"close"])
        peer.close()
        # They have the other end of standard error, which ends with the last of them.
        assert await gateway.started.errors() == ""
        assert await gateway.started.code() == -9


async def test_a_worker_that_is_told_to_go_drains_and_is_replaced(tmp_path: Path) -> None:
    async with two_workers(tmp_path / "gateway.toml", answering(OK)) as (gateway, _):
        victim = min(workers_of(gateway.started.process.pid))
        os.kill(victim, signal.SIGHUP)
        os.kill(victim, signal.SIGINT)
        os.kill(victim, signal.SIGTERM)
        ended = await gateway.started.event("worker ended")
        assert (ended["worker"], ended["exit_code"]) == (victim, 0)
        await gateway.started.event("worker started")


async def test_a_stop_in_the_middle_of_a_reload_leaves_nobody_behind(tmp_path: Path) -> None:
    async with two_workers(tmp_path / "gateway.toml", answering(OK)) as (gateway, _):
        peer = await gateway.started.dial()
        assert await ask(peer) == (b"ok", True)
        before = workers_of(gateway.started.process.pid)
        gateway.started.process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(PATIENCE_S):
            while not workers_of(gateway.started.process.pid) - before:
                await peer.send(request())
                await peer.read_answer()
        gateway.started.process.terminate()
        assert (await gateway.started.event("stopped"))["requests_cut"] == 0
        peer.close()
        # The end of standard error is that of the last process which has it.
        assert await gateway.started.errors() == ""
        assert await gateway.started.code() == 0

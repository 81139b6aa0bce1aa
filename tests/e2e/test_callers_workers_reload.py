"""Workers are replaced at a reload: what callers and operators see of it."""

import asyncio
import socket
from pathlib import Path

import pytest

from tests.e2e.crews import (
    OTHER,
    TWO,
    ask,
    count_of,
    keep_asking,
    show,
    two_workers,
    until_left,
    workers_of,
)
from tests.e2e.downloads import downloading
from tests.e2e.reloadable import text_of
from tests.started import MIB
from tests.wire import (
    OK,
    PATH,
    Peer,
    answering,
    request,
    scripted,
)


async def test_reloads_under_load_lose_no_request(tmp_path: Path) -> None:
    stop, done = asyncio.Event(), asyncio.Semaphore(0)
    async with two_workers(tmp_path / "gateway.toml", answering(OK)) as (gateway, _):
        async with scripted(answering(OTHER)) as other, asyncio.TaskGroup() as callers:
            for _ in range(6):
                callers.create_task(keep_asking(gateway.started, stop, done))
            before = workers_of(gateway.started.process.pid)
            for number in range(2):
                event = await gateway.reload(
                    text_of(other.origin, TWO, f"limits.max_in_flight = {100 + number}")
                )
                assert "limits.max_in_flight" in str(event["changed"])
            for _ in range(50):
                await done.acquire()
            stop.set()
        peer = await gateway.started.dial()
        await peer.send(request())
        # The origin that answers in the end is away by now.
        assert (await peer.read_answer())[0] == 502
        peer.close()
        assert not before & workers_of(gateway.started.process.pid)
        gateway.started.process.terminate()
        assert await gateway.started.code() == 0
        assert await gateway.started.errors() == ""


async def test_an_old_worker_stays_for_its_download_and_for_an_idle_caller(tmp_path: Path) -> None:
    size, go = 4 * MIB, asyncio.Event()

    async with (
        two_workers(tmp_path / "gateway.toml", downloading(size, go)) as (gateway, _),
        scripted(answering(OTHER)) as other,
    ):
        long, idle = await gateway.started.dial(), await gateway.started.dial()
        assert await ask(idle) == (b"ok", True)
        await long.send(request(f"GET {PATH}/download HTTP/1.1"))
        await long.read_head()
        await gateway.reload(text_of(other.origin, TWO))
        fresh = await gateway.started.dial()
        assert await ask(fresh) == (b"other", True)
        assert await ask(idle) == (b"ok", False)
        go.set()
        assert len(await long.read(size)) == size
        assert await ask(long) == (b"ok", False)
        for peer in (long, idle, fresh):
            peer.close()
        await until_left(gateway.started, 2)


async def test_counts_are_added_up_and_outlive_their_workers(tmp_path: Path) -> None:
    name = "http_server_request_duration_seconds_count"
    async with two_workers(tmp_path / "gateway.toml", answering(OK)) as (gateway, upstream):
        for _ in range(20):
            peer = await gateway.started.dial()
            await ask(peer)
            peer.close()
        assert count_of(await show(gateway, "/metrics"), name) == 20
        await gateway.reload(text_of(upstream.origin, TWO, "limits.max_in_flight = 99"))
        await until_left(gateway.started, 2)
        peer = await gateway.started.dial()
        await ask(peer)
        metrics = await show(gateway, "/metrics")
        assert count_of(metrics, name) == 21
        assert count_of(metrics, "rcgw_open_connections") == 1
        assert count_of(metrics, "rcgw_build_info") == 1
        assert 'rcgw_workers{state="serving"} 2.0' in metrics
        peer.close()


async def test_a_bad_configuration_keeps_every_worker(tmp_path: Path) -> None:
    async with two_workers(tmp_path / "gateway.toml", answering(OK)) as (gateway, upstream):
        before = workers_of(gateway.started.process.pid)
        peer = await gateway.started.dial()
        await ask(peer)
        bad = text_of(upstream.origin, TWO, 'log.level = "loud"', "limits.max_in_flight = 0")
        event = await gateway.reload(bad, "reload refused")
        assert len(str(event["problems"]).split("', '")) == 2
        with socket.create_server(("127.0.0.1", 0)) as other:
            taken = f'"127.0.0.1:{other.getsockname()[1]}"'
            text = text_of(upstream.origin, TWO, bind=taken)
            event = await gateway.reload(text, "reload refused")
        assert "the address is in use by another process" in str(event["problems"])
        assert await ask(peer) == (b"ok", True)
        assert workers_of(gateway.started.process.pid) == before
        await gateway.reload(text_of(upstream.origin, "engine.workers = 3"))
        told = [str(event["event"]) for event in gateway.started.events]
        assert "engine.workers: is 3 from the next restart on; until then it stays 2" in told
        assert len(workers_of(gateway.started.process.pid) - before) == 2
        peer.close()


async def test_binds_come_and_go(tmp_path: Path) -> None:
    async with two_workers(tmp_path / "gateway.toml", answering(OK)) as (gateway, upstream):
        path = tmp_path / "data.sock"
        more = text_of(upstream.origin, TWO, bind=f'["127.0.0.1:0", "unix:{path}"]')
        event = await gateway.reload(more)
        assert event["binds"] == [gateway.started.bind, f"unix:{path}"]
        second = Peer(*await asyncio.open_unix_connection(str(path)))
        assert await ask(second) == (b"ok", True)
        await gateway.reload(text_of(upstream.origin, TWO, bind=f'"unix:{path}"'))
        with pytest.raises(ConnectionRefusedError):
            await gateway.started.dial()
        assert await ask(second) == (b"ok", False)
        third = Peer(*await asyncio.open_unix_connection(str(path)))
        assert await ask(third) == (b"ok", True)
        gateway.started.process.terminate()
        assert await gateway.started.code() == 0
        assert not path.exists()
        second.close()
        third.close()

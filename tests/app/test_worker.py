"""A worker in this process, with the test as its parent."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest

from gateway.app.channel import Channel, Message
from gateway.app.job import Job
from gateway.app.worker import Worker, run
from tests.app.hiring import Log, job_of
from tests.wire import PATIENCE_S, Peer, request, values


@asynccontextmanager
async def working(log: Log, *sets: str) -> AsyncIterator[tuple[Channel, Job, asyncio.Task[int]]]:
    """Run a worker until it says that it is ready."""
    ours, theirs = socket.socketpair()
    parent, child = await Channel.over(ours), await Channel.over(theirs)
    async with job_of(*sets) as job:
        message = orjson.loads(orjson.dumps(job.render()))
        message["binds"] = [[bind, [os.dup(fd) for fd in fds]] for bind, fds in message["binds"]]
        task = asyncio.create_task(Worker(child, message, log.open).run())
        assert await parent.receive() == {"ready": True}
        yield parent, job, task
        await asyncio.wait_for(task, PATIENCE_S)
        await parent.close()


async def dial(job: Job) -> Peer:
    (bind,) = job.opened[0].binds
    return Peer(*await asyncio.open_connection(bind.host, bind.port))


async def told(parent: Channel) -> Message:
    message = await asyncio.wait_for(parent.receive(), PATIENCE_S)
    assert message is not None
    return message


async def test_it_reports_and_ends_with_its_last_report() -> None:
    async with working(Log()) as (parent, _, task):
        parent.send({"ask": "report"})
        assert set((await told(parent))["report"]) == {"metrics", "credentials", "notes"}
        parent.send({"order": "drain"})
        last = await told(parent)
        assert last["over"] == 0
        assert last["report"]["metrics"]
        assert await asyncio.wait_for(task, PATIENCE_S) == 0


async def test_who_retires_keeps_its_connections_until_their_next_answer() -> None:
    async with working(Log()) as (parent, job, task):
        peer = await dial(job)
        await peer.send(request("GET /nowhere HTTP/1.1"))
        assert values((await peer.read_answer())[1], b"connection") == []
        parent.send({"order": "retire"})
        assert await told(parent) == {"retired": True}
        assert not task.done()
        await peer.send(request("GET /nowhere HTTP/1.1"))
        assert values((await peer.read_answer())[1], b"connection") == [b"close"]
        peer.close()
        assert "over" in await told(parent)
        # The parent's socket is open still.
        (await dial(job)).close()


async def test_a_sooner_end_takes_the_place_of_a_later_one_and_never_the_reverse() -> None:
    async with working(Log()) as (parent, job, _):
        peer = await dial(job)
        parent.send({"order": "retire"})
        assert await told(parent) == {"retired": True}
        for order in ("stop", "drain", "retire"):
            parent.send({"order": order})
        assert (await told(parent))["over"] == 0
        assert await peer.read_to_end() == b""
        peer.close()


async def test_a_parent_that_is_gone_is_an_order_to_drain() -> None:
    async with working(Log()) as (parent, _, task):
        await parent.close()
        assert await asyncio.wait_for(task, PATIENCE_S) == 0


async def test_its_lines_say_who_it_is() -> None:
    log = Log()
    async with working(log, "log.requests=on") as (parent, job, _):
        peer = await dial(job)
        await peer.send(request("GET /nowhere HTTP/1.1"))
        assert (await peer.read_answer())[0] == 404
        parent.send({"order": "stop"})
        peer.close()
    assert [(line["event"], line["worker"]) for line in log.lines()] == [("request", os.getpid())]


def test_a_parent_that_says_nothing_has_nothing_to_do(recwarn: pytest.WarningsRecorder) -> None:
    ours, theirs = socket.socketpair()
    ours.close()
    assert run(theirs.detach(), Log().open) == 0
    assert not list(recwarn)


async def test_a_signal_to_end_is_passed_on_to_the_parent() -> None:
    async with working(Log()) as (parent, _, task):
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            os.kill(os.getpid(), number)
        assert await told(parent) == {"asks": "drain"}
        assert not task.done()
        parent.send({"order": "drain"})

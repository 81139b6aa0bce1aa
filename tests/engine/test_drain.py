"""Stopping: what is told to go, what may finish, what is cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.engine.repeating import until_repeating
from tests.wire import (
    OK,
    PATH,
    PATIENCE_S,
    Peer,
    Running,
    Upstream,
    answering,
    request,
    running,
    scripted,
    values,
)

DRAIN = "timeouts.drain_s=0.1"


class Held:
    """An upstream that answers when it is told to."""

    def __init__(self) -> None:
        self.asked = asyncio.Semaphore(0)
        self.answers = asyncio.Semaphore(0)

    async def __call__(self, peer: Peer) -> None:
        while True:
            await peer.read_request()
            self.asked.release()
            await self.answers.acquire()
            await peer.send(OK)


@asynccontextmanager
async def held(*sets: str) -> AsyncIterator[tuple[Held, Running, Upstream]]:
    script = Held()
    async with scripted(script) as upstream, running(upstream.origin, *sets) as gateway:
        yield script, gateway, upstream


async def test_what_is_under_way_is_finished_and_the_connection_ended() -> None:
    async with held() as (script, gateway, _):
        peer = await gateway.dial()
        await peer.send(request())
        await script.asked.acquire()
        draining = asyncio.create_task(gateway.gateway.drain())
        while not gateway.gateway.gate.is_draining:
            await asyncio.wait({draining}, timeout=0.001)
        script.answers.release()
        status, head, _ = await peer.read_answer()
        assert (status, values(head, b"connection")) == (200, [b"close"])
        assert await peer.read_to_end() == b""
        peer.close()
        await asyncio.wait_for(draining, PATIENCE_S)
        assert gateway.gateway.gate.connections == 0
        assert gateway.gateway.idle_upstream_connections() == 0


async def test_nobody_new_is_let_in() -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        assert await gateway.gateway.drain() == 0
        with pytest.raises(ConnectionRefusedError):
            await gateway.dial()


async def test_what_begins_late_is_refused() -> None:
    async with held("timeouts.drain_s=1.2") as (script, gateway, upstream):
        first, late = await gateway.dial(), await gateway.dial()
        await first.send(request())
        await script.asked.acquire()
        # A head that has begun keeps its connection from being idle.
        await late.send(request()[:-2])
        draining = asyncio.create_task(gateway.gateway.drain())
        while not gateway.gateway.gate.is_refusing:
            await asyncio.wait({draining}, timeout=0.01)
        await late.send(b"\r\n")
        status, head, _ = await late.read_answer()
        assert (status, values(head, b"x-gateway-error")) == (503, [b"draining"])
        assert values(head, b"retry-after") == [b"1"]
        assert values(head, b"connection") == [b"close"]
        script.answers.release()
        assert (await first.read_answer())[0] == 200
        first.close()
        late.close()
        await asyncio.wait_for(draining, PATIENCE_S)
        assert upstream.connections == 1


async def test_who_has_no_answer_when_the_time_is_up_is_told_so() -> None:
    async with held(DRAIN) as (script, gateway, _):
        peer = await gateway.dial()
        await peer.send(request())
        await script.asked.acquire()
        draining = asyncio.create_task(gateway.gateway.drain())
        status, head, _ = await peer.read_answer()
        assert (status, values(head, b"x-gateway-error")) == (503, [b"draining"])
        assert values(head, b"retry-after") == [b"1"]
        assert await peer.read_to_end() == b""
        peer.close()
        assert await asyncio.wait_for(draining, PATIENCE_S) == 1
        (record,) = gateway.records
        assert (record.status, record.code, record.cut) == (503, "draining", "")


@pytest.mark.parametrize("override", ["X-HTTP-Method-Override: PATCH", "Accept: */*"])
@pytest.mark.parametrize("lane", ["true", "false"])
async def test_what_may_have_been_done_is_not_told_to_be_sent_again(
    override: str, lane: str
) -> None:
    async with held(DRAIN, f"engine.fast_lane={lane}") as (script, gateway, _):
        peer = await gateway.dial()
        await peer.send(request(f"POST {PATH} HTTP/1.1", override, body=b"{}"))
        await script.asked.acquire()
        draining = asyncio.create_task(gateway.gateway.drain())
        status, head, _ = await peer.read_answer()
        assert (status, values(head, b"x-gateway-error")) == (504, [b"upstream-timeout"])
        assert values(head, b"retry-after") == []
        assert await peer.read_to_end() == b""
        peer.close()
        assert await asyncio.wait_for(draining, PATIENCE_S) == 1


@pytest.mark.parametrize("lane", ["true", "false"])
@pytest.mark.parametrize("reason", ["429 Too Many Requests", "503 Service Unavailable"])
async def test_what_was_not_handled_and_awaits_its_repeat_may_be_sent_again(
    reason: str, lane: str
) -> None:
    refusal = f"HTTP/1.1 {reason}\r\nRetry-After: 20\r\nContent-Length: 0\r\n\r\n".encode()
    sets = (DRAIN, 'rates.mode="queue"', f"engine.fast_lane={lane}")
    async with (
        scripted(answering(refusal)) as upstream,
        running(upstream.origin, *sets) as gateway,
    ):
        peer = await gateway.dial()
        await peer.send(request(f"POST {PATH} HTTP/1.1", body=b"{}"))
        await until_repeating(gateway)
        draining = asyncio.create_task(gateway.gateway.drain())
        status, head, _ = await peer.read_answer()
        assert (status, values(head, b"x-gateway-error")) == (503, [b"draining"])
        peer.close()
        assert await asyncio.wait_for(draining, PATIENCE_S) == 1
        (record,) = gateway.records
        assert (record.attempts, record.retries) == (1, (f"status-{reason[:3]}",))
        assert record.upstream_s is None


async def test_an_answer_that_has_begun_when_the_time_is_up_is_cut() -> None:
    async def begin(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")
        await peer.read_to_end()

    async with scripted(begin) as upstream, running(upstream.origin, DRAIN) as gateway:
        peer = await gateway.dial()
        await peer.send(request())
        await peer.read_head()
        assert await asyncio.wait_for(gateway.gateway.drain(), PATIENCE_S) == 1
        assert await peer.is_cut()
        peer.close()
        (record,) = gateway.records
        assert (record.status, record.code) == (200, "draining")
        assert record.cut == "the gateway stopped before the answer was complete"


async def test_a_head_that_is_not_whole_when_the_time_is_up_is_answered() -> None:
    async with running("http://127.0.0.1:1", DRAIN) as gateway:
        peer = await gateway.dial()
        await peer.send(request("GET /nowhere HTTP/1.1"))
        assert (await peer.read_answer())[0] == 404
        await peer.send(request()[:-2])
        draining = asyncio.create_task(gateway.gateway.drain())
        status, head, _ = await peer.read_answer()
        assert (status, values(head, b"x-gateway-error")) == (503, [b"draining"])
        peer.close()
        assert await asyncio.wait_for(draining, PATIENCE_S) == 0
        assert [record.code for record in gateway.records] == ["no-route", "draining"]


async def test_who_retires_cuts_nothing_and_leaves_the_sockets_to_others() -> None:
    async with held() as (script, gateway, _):
        busy, idle = await gateway.dial(), await gateway.dial()
        await busy.send(request())
        await script.asked.acquire()
        shared = [
            sock.dup() for server in gateway.gateway._listening.listening for sock in server.sockets
        ]
        await gateway.gateway.retire()
        retiring = asyncio.create_task(gateway.gateway.emptied())
        # Whoever else listens there is not held off: it waits for them.
        (await gateway.dial()).close()
        script.answers.release()
        status, head, _ = await busy.read_answer()
        assert (status, values(head, b"connection")) == (200, [b"close"])
        assert not retiring.done()
        idle.close()
        busy.close()
        await asyncio.wait_for(retiring, PATIENCE_S)
        for sock in shared:
            sock.close()

"""The gateway as a process: its signals and exit codes."""

import asyncio
import signal

import pytest

from tests.e2e.downloads import downloading
from tests.started import MIB, Started, serving
from tests.wire import OK, PATH, Peer, answering, request, values


async def ask_until_closed(gateway: Started, loaded: asyncio.Semaphore) -> None:
    """Ask again and again, count what is answered, end when nobody listens any more."""
    while True:
        try:
            peer = await gateway.dial()
        except ConnectionRefusedError:
            return
        keeps = True
        while keeps:
            await peer.send(request())
            status, head, body = await peer.read_answer()
            assert (status, body) == (200, b"ok")
            loaded.release()
            keeps = values(head, b"connection") != [b"close"]
        peer.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_drain_under_load_loses_no_request(number: signal.Signals) -> None:
    size = 4 * MIB
    release = asyncio.Event()

    async with serving(downloading(size, release)) as gateway:
        long = await gateway.dial()
        await long.send(request(f"GET {PATH}/download HTTP/1.1"))
        assert values(await long.read_head(), b"connection") == []
        loaded = asyncio.Semaphore(0)
        async with asyncio.TaskGroup() as callers:
            for _ in range(8):
                callers.create_task(ask_until_closed(gateway, loaded))
            for _ in range(200):
                await loaded.acquire()
            gateway.process.send_signal(number)
        # Every caller was told to go; the download is whole, and may be followed by a request.
        release.set()
        assert len(await long.read(size)) == size
        await long.send(request())
        status, head, _ = await long.read_answer()
        assert (status, values(head, b"connection")) == (200, [b"close"])
        assert await long.read_to_end() == b""
        long.close()
        assert await gateway.code() == 0
        assert await gateway.errors() == ""


async def test_an_idle_caller_does_not_hold_the_drain_up() -> None:
    async with serving(answering(OK)) as gateway:
        idle = await gateway.dial()
        gateway.process.terminate()
        stopped = await gateway.event("stopped")
        assert (stopped["level"], stopped["requests_cut"]) == ("info", 0)
        assert await gateway.code() == 0
        idle.close()


async def test_what_waits_when_the_time_is_up_is_answered_503() -> None:
    asked = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        asked.set()
        await peer.read_to_end()

    async with serving(script, "127.0.0.1:0", "timeouts.drain_s=0.2") as gateway:
        peer = await gateway.dial()
        await peer.send(request())
        await asked.wait()
        gateway.process.terminate()
        status, head, _ = await peer.read_answer()
        assert (status, values(head, b"x-gateway-error")) == (503, [b"draining"])
        peer.close()
        event = await gateway.event("request")
        assert (event["status"], event["code"]) == (503, "draining")
        stopped = await gateway.event("stopped")
        assert (stopped["level"], stopped["requests_cut"]) == ("warning", 1)
        assert await gateway.code() == 0


async def test_a_second_signal_stops_at_once() -> None:
    asked = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        asked.set()
        await peer.read_to_end()

    async with serving(script) as gateway:
        peer = await gateway.dial()
        await peer.send(request())
        await asked.wait()
        gateway.process.terminate()
        await gateway.event("draining")
        gateway.process.terminate()
        assert await peer.is_cut()
        assert (await gateway.event("stopped at once"))["requests_cut"] == 1
        assert await gateway.code() == 1
        assert await gateway.errors() == ""
        peer.close()

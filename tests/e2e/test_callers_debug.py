"""asyncio's debug mode and Python's development mode have nothing to say of the gateway.

They tell of coroutines that were never awaited, of transports and files left open, of
calls from other threads and of exceptions that nobody looked at. What they tell of time,
that a step took long, is the machine's.
"""

import asyncio
import gc
import json
import logging
from collections.abc import Awaitable, Callable

import pytest

from tests.started import serving
from tests.wire import PATH, Peer, request, running, scripted, values

Dial = Callable[[], Awaitable[Peer]]

DEBUG = {"PYTHONASYNCIODEBUG": "1", "PYTHONDEVMODE": "1"}
# A tenth of a second for a step is a busy machine's.
SLOW = "Executing <"
EXPECTED = {"listening", "request", "draining", "stopped"}
SIZE = 300_000
BODY = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE + b"x" * SIZE
CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (SIZE, b"x" * SIZE)
POST = f"POST {PATH} HTTP/1.1"


async def answer(peer: Peer) -> None:
    """Answer with a body; cut it, break the head or be silent where the target says so."""
    while True:
        head, _ = await peer.read_request()
        if b"/cut " in head:
            return await peer.send(BODY[:-1])
        if b"/break " in head:
            return await peer.send(b"garbage\r\n\r\n")
        if b"/silent " in head:
            await peer.read_to_end()
            return None
        await peer.send(BODY)


async def walk(dial: Dial) -> None:
    """Ask for whatever can happen to a request."""
    kept = await dial()
    for sent in (request(), request(POST, body=b"x" * SIZE), request("BREW / HTTP/1.1")):
        await kept.send(sent)
        await kept.read_answer()
    await kept.read_to_end()
    kept.close()
    for target, ends in (("cut", Peer.is_cut), ("break", Peer.read_answer)):
        peer = await dial()
        await peer.send(request(f"GET {PATH}/{target} HTTP/1.1"))
        await ends(peer)
        peer.close()
    await leave(dial)
    uploading = await dial()
    await uploading.send(request(POST, "Transfer-Encoding: chunked") + CHUNKED)
    assert (await uploading.read_answer())[0] == 200
    uploading.close()


async def leave(dial: Dial) -> None:
    """Go away in the middle of an upload, before an answer and within one."""
    uploading = await dial()
    await uploading.send(request(POST, "Content-Length: 9999999") + b"x" * SIZE)
    uploading.reset()
    waiting = await dial()
    await waiting.send(request(f"GET {PATH}/silent HTTP/1.1"))
    waiting.reset()
    downloading = await dial()
    await downloading.send(request())
    await downloading.read_head()
    downloading.reset()


def is_about_time(line: str) -> bool:
    return line.startswith(SLOW)


@pytest.mark.asyncio(loop_factories=["asyncio"])
async def test_a_process_in_debug_mode_has_nothing_to_complain_of() -> None:
    async with serving(
        answer, "127.0.0.1:0", "log.requests=on", "log.level=debug", environ=DEBUG
    ) as gateway:
        await walk(gateway.dial)
        last = await gateway.dial()
        await last.send(request() + request())
        await last.read_head()
        gateway.process.terminate()
        await last.read(SIZE)
        _, head, _ = await last.read_answer()
        assert values(head, b"connection") in ([], [b"close"])
        await last.read_to_end()
        last.close()
        assert await gateway.code() == 0
        assert gateway.process.stdout is not None
        events = [json.loads(line) for line in (await gateway.process.stdout.read()).splitlines()]
        errors = (await gateway.errors()).splitlines()
    told = {event["event"] for event in events if not is_about_time(event["event"])}
    assert {"request", "draining", "stopped"} <= told <= EXPECTED
    assert [line for line in errors if not is_about_time(line)] == []


async def test_debug_mode_has_nothing_to_complain_of(caplog: pytest.LogCaptureFixture) -> None:
    asyncio.get_running_loop().set_debug(True)
    caplog.set_level(logging.DEBUG, "asyncio")
    async with scripted(answer) as upstream, running(upstream.origin) as gateway:
        await walk(gateway.dial)
        await gateway.gateway.drain()
    # What is left over is told of when it is collected.
    gc.collect()
    told = [record for record in caplog.records if record.levelno > logging.INFO]
    assert [record for record in told if not is_about_time(record.getMessage())] == []

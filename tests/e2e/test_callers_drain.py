"""A SIGTERM while long answers come down and long bodies go up: all of them are finished."""

import asyncio

import pytest

from gateway.core.chunked import ChunkedReader
from tests.started import MIB, serving
from tests.wire import OK, PATH, Peer, request, values

# The gateway is a process, on the event loop in service; this one is the callers'.
pytestmark = pytest.mark.asyncio(loop_factories=["asyncio"])
SIZE = 2 * MIB
HALF = b"x" * (SIZE // 2)
CALLERS = 6
# How an upstream may frame an answer: the beginning, and what ends it.
FRAMINGS = {
    "length": (b"Content-Length: %d\r\n\r\n" % SIZE, b""),
    "chunked": (b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % SIZE, b"\r\n0\r\n\r\n"),
    "close": (b"\r\n", b""),
}
PUT = f"PUT {PATH} HTTP/1.1"


async def take(peer: Peer) -> bytes:
    """Return the body of an answer, chunked or not."""
    _, head, body = await peer.read_answer()
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    if not values(head, b"transfer-encoding"):
        return body
    return b"".join(ChunkedReader().feed(body))


async def test_what_is_on_its_way_when_the_signal_comes_is_finished() -> None:
    go, begun = asyncio.Event(), asyncio.Semaphore(0)

    async def script(peer: Peer) -> None:
        head = await peer.read_head()
        if head.startswith(b"PUT"):
            received = await peer.read(SIZE // 2)
            begun.release()
            assert received + await peer.read(SIZE // 2) == HALF * 2
            await peer.send(OK)
            return
        beginning, end = FRAMINGS[head.split(b" ")[1].rpartition(b"/")[2].decode()]
        await peer.send(b"HTTP/1.1 200 OK\r\n" + beginning + HALF)
        begun.release()
        await go.wait()
        await peer.send(HALF + end)

    async with serving(script) as gateway:
        downloads = [await gateway.dial() for _ in range(CALLERS)]
        for number, peer in enumerate(downloads):
            kind = list(FRAMINGS)[number % len(FRAMINGS)]
            await peer.send(request(f"GET {PATH}/{kind} HTTP/1.1"))
        uploads = [await gateway.dial() for _ in range(CALLERS)]
        for peer in uploads:
            await peer.send(request(PUT, f"Content-Length: {SIZE}") + HALF)
        for _ in range(2 * CALLERS):
            await asyncio.wait_for(begun.acquire(), 20)
        gateway.process.terminate()
        await gateway.event("draining")
        go.set()
        for peer in uploads:
            await peer.send(HALF)
        taken = await asyncio.gather(*(take(peer) for peer in downloads))
        assert [len(body) for body in taken] == [SIZE] * CALLERS
        assert await asyncio.gather(*(take(peer) for peer in uploads)) == [b"ok"] * CALLERS
        for peer in (*downloads, *uploads):
            peer.close()
        assert (await gateway.event("stopped"))["requests_cut"] == 0
        assert await gateway.code() == 0
        assert await gateway.errors() == ""

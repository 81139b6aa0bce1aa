"""Bodies cut short: the caller is cut too, never shown a clean end, and the record says why."""

import asyncio
import gzip
import os
import socket

import pytest

from gateway.core.chunked import LAST_CHUNK, render_chunk
from tests.wire import PATH, Peer, Running, Script, request, running, scripted

CLOSE = "Connection: close"

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\nhello"
# What upstream sends, what it does then, and what the record says of the cut.
CUTS = {
    "a length that is short": (LENGTH, "close", "before the body was complete"),
    "a length, reset": (LENGTH, "reset", "broke the connection"),
    "a length, silence": (LENGTH, "wait", "sent nothing of its body for 0.2 s"),
    "no last chunk": (CHUNKED, "close", "before the body was complete"),
    "half a chunk": (CHUNKED + b"5\r\nwo", "close", "before the body was complete"),
    "half a last chunk": (CHUNKED + b"0\r\n", "close", "before the body was complete"),
    "half a trailer": (CHUNKED + b"0\r\nX: 1", "close", "before the body was complete"),
    "chunks, reset": (CHUNKED, "reset", "broke the connection"),
    "chunks, silence": (CHUNKED, "wait", "sent nothing of its body for 0.2 s"),
    "a bad size": (CHUNKED + b"x\r\n", "wait", "chunked its reply badly"),
    "a negative size": (CHUNKED + b"-1\r\n", "wait", "chunked its reply badly"),
    "a size without end": (CHUNKED + b"0" * 5000, "wait", "chunked its reply badly"),
    "a huge size": (CHUNKED + b"F" * 17 + b"\r\n", "wait", "chunked its reply badly"),
    "an empty size": (CHUNKED + b"\r\n", "wait", "chunked its reply badly"),
    "a bare LF after a size": (CHUNKED + b"1\n", "wait", "chunked its reply badly"),
    "more data than its size": (CHUNKED + b"1\r\nab\r\n", "wait", "chunked its reply badly"),
    "a bad trailer": (CHUNKED + b"0\r\nA : b\r\n\r\n", "wait", "chunked its reply badly"),
    "until close, reset": (UNTIL_CLOSE, "reset", "broke the connection"),
    "until close, silence": (UNTIL_CLOSE, "wait", "sent nothing of its body for 0.2 s"),
}


def failing(reply: bytes, then: str) -> Script:
    """Return a script that sends a reply, waits for the caller to have some, and fails."""

    async def script(peer: Peer) -> None:
        await peer.read_request()
        head, _, body = reply.partition(b"\r\n\r\n")
        # The first bytes have been relayed before the rest comes, or not: both must do.
        await peer.send(head + b"\r\n\r\n" + body[:5])
        await asyncio.sleep(0)
        await peer.send(body[5:])
        if then == "reset":
            peer.reset()
        elif then == "wait":
            await peer.read_to_end()

    return script


async def ask(gateway: Running, data: bytes) -> tuple[bytes, bool]:
    """Return all that is answered, and whether it ends in a reset."""
    loop = asyncio.get_running_loop()
    told = b""
    # A stream's reader forgets what came before a reset.
    with socket.socket() as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, ("127.0.0.1", gateway.port))
        await loop.sock_sendall(sock, data)
        try:
            while piece := await loop.sock_recv(sock, 65536):
                told += piece
        except ConnectionResetError:
            return told, True
    return told, False


@pytest.mark.parametrize("flaw", [name for name, cut in CUTS.items() if "badly" in cut[2]])
async def test_a_flaw_that_comes_with_the_head_is_answered(flaw: str) -> None:
    reply, _, why = CUTS[flaw]

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(reply)
        await peer.read_to_end()

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        told, is_reset = await ask(gateway, request(f"POST {PATH} HTTP/1.1", CLOSE))
        assert (is_reset, told[:13]) == (False, b"HTTP/1.1 502 ")
        assert why.encode() in told
        assert upstream.connections == 1


GZIP = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"id":1}', 502),
        (gzip.compress(b'{"id":1}') + b"x", 200),
        (gzip.compress(b'{"id":1}')[:-4], 200),
    ],
    ids=["none", "more", "less"],
)
async def test_a_stream_that_is_not_the_gzip_it_claims_is_never_a_reset_alone(
    body: bytes, status: int
) -> None:
    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(GZIP + render_chunk(body) + LAST_CHUNK)
        await peer.read_to_end()

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        told, is_reset = await ask(gateway, request(f"POST {PATH} HTTP/1.1", CLOSE))
        assert (told[:13], is_reset) == (b"HTTP/1.1 %d " % status, status == 200)
        assert not told.endswith(LAST_CHUNK)


@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("name", CUTS)
async def test_a_reply_cut_short_cuts_the_caller(name: str, version: str) -> None:
    reply, then, why = CUTS[name]
    async with (
        scripted(failing(reply, then)) as upstream,
        running(upstream.origin, "timeouts.idle_s=0.2") as gateway,
    ):
        async with asyncio.timeout(2):
            told, is_reset = await ask(gateway, request(f"GET {PATH} HTTP/{version}", CLOSE))
        record = await gateway.recorder.wait_for(1)
        # A flaw may come with the head, and the answer is then the gateway's own.
        assert record.status in (200, 502)
        assert is_reset is (record.status == 200)
        # Who is told nothing at all may take its connection for a stale one, and ask again.
        assert told.startswith(b"HTTP/1.1 %d " % record.status)
        assert why in (record.cut or record.message)
        assert gateway.gateway.idle_upstream_connections() == 0


async def test_a_caller_that_does_not_read_is_no_silence_of_upstreams() -> None:
    size = 8_000_000

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        await peer.send(b"a" * size)
        await peer.read_to_end()

    async with (
        scripted(script) as upstream,
        running(upstream.origin, "timeouts.idle_s=0.2") as gateway,
    ):
        peer = await gateway.dial()
        await peer.send(request())
        await peer.read_head()
        loop = asyncio.get_running_loop()
        pause = loop.create_future()
        loop.call_later(0.5, pause.set_result, None)
        await pause
        assert await peer.read(size) == b"a" * size
        peer.close()
        record = await gateway.recorder.wait_for(1)
        assert (record.cut, record.bytes_out) == ("", size)


async def test_what_came_before_the_cut_reaches_the_caller() -> None:
    part = os.urandom(30_000)
    relayed = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n" + part)
        await relayed.wait()

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(request())
        await peer.read_head()
        assert await peer.read(30_000) == part
        relayed.set()
        assert await peer.is_cut()
        record = await gateway.recorder.wait_for(1)
        assert record.bytes_out == 30_000


@pytest.mark.parametrize("when", ["before the head", "in the body", "in the upload"])
async def test_a_caller_that_goes_away_takes_its_upstream_connection_along(when: str) -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        if when == "in the body":
            await peer.send(LENGTH)
        asked.set()
        await peer.read_to_end()
        gone.set()

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        size = ["Content-Length: 999999"] if when == "in the upload" else []
        await peer.send(request(f"POST {PATH} HTTP/1.1", *size))
        await asyncio.wait_for(asked.wait(), 5)
        if when == "in the body":
            await peer.read_head()
        peer.close()
        await asyncio.wait_for(gone.wait(), 5)
        record = await gateway.recorder.wait_for(1)
        assert record.status == 499
        assert record.bug is None
        assert gateway.gateway.idle_upstream_connections() == 0


async def test_an_upload_that_breaks_under_an_answer_cuts_both() -> None:
    ends = []

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(CHUNKED)
        ends.append(await peer.read_to_end())

    async with (
        scripted(script) as upstream,
        running(upstream.origin, "limits.replay_body_bytes=10") as gateway,
    ):
        peer = await gateway.dial()
        await peer.send(
            request(f"POST {PATH} HTTP/1.1", "Transfer-Encoding: chunked") + b"b\r\nhello world\r\n"
        )
        await peer.read_head()
        await peer.send(b"broken\r\n")
        assert await peer.is_cut()
        record = await gateway.recorder.wait_for(1)
        assert "not chunked" in record.cut
    assert not ends[0].endswith(b"0\r\n\r\n")

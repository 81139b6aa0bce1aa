"""How long a caller may take: each time has its answer or its cut."""

import asyncio
import socket

import pytest

from tests.e2e.refusing import refused, unreached
from tests.wire import (
    OK,
    PATH,
    PATIENCE_S,
    Peer,
    answering,
    request,
    running,
    scripted,
)

POST = f"POST {PATH} HTTP/1.1"
CHUNKED = "Transfer-Encoding: chunked"


async def test_an_empty_connection_is_closed_without_a_word() -> None:
    async with unreached("timeouts.head_s=0.1") as gateway:
        peer = await gateway.dial()
        assert await peer.read_to_end() == b""
        peer.close()
        assert gateway.records == []


@pytest.mark.parametrize("begun", [b"GET", b"GET / HTTP/1.1\r\nHo", b"\r\nG", b"\r"])
async def test_a_head_that_does_not_end_is_answered_408(begun: bytes) -> None:
    async with unreached("timeouts.head_s=0.1") as gateway:
        assert await refused(gateway, begun) == (408, b"request-timeout")


async def drip(peer: Peer, data: bytes, every_s: float = 0.02) -> None:
    """Send the bytes again and again, one at a time, until the connection is no more."""
    try:
        while True:
            for at in range(len(data)):
                await peer.send(data[at : at + 1])
                await asyncio.wait({asyncio.create_task(asyncio.sleep(every_s))})
    except ConnectionError:
        return


@pytest.mark.parametrize("before", [b"", request()], ids=["first", "second"])
async def test_a_dripping_head_is_bounded_as_a_whole(before: bytes) -> None:
    async with (
        scripted(answering(OK)) as upstream,
        running(upstream.origin, "timeouts.head_s=0.2") as gateway,
    ):
        peer = await gateway.dial()
        if before:
            # A head that begins in the segment that ended the last one counts as well.
            await peer.send(before + b"G")
            assert (await peer.read_answer())[0] == 200
        dripping = asyncio.create_task(drip(peer, b"ET / HTTP/1.1\r\n" + b"A: b\r\n" * 1000))
        assert (await peer.read_answer())[0] == 408
        dripping.cancel()
        await asyncio.wait({dripping})
        peer.close()


async def test_an_idle_connection_is_closed_without_a_word() -> None:
    async with (
        scripted(answering(OK)) as upstream,
        running(upstream.origin, "timeouts.keepalive_s=0.1") as gateway,
    ):
        peer = await gateway.dial()
        await peer.send(request())
        assert (await peer.read_answer())[0] == 200
        assert await peer.read_to_end() == b""
        peer.close()


async def test_a_head_that_began_before_the_idle_time_is_up_is_waited_for() -> None:
    async with (
        scripted(answering(OK)) as upstream,
        running(upstream.origin, "timeouts.keepalive_s=0.1", "timeouts.head_s=0.3") as gateway,
    ):
        peer = await gateway.dial()
        await peer.send(request() + b"GET / HTTP/1.1\r\n")
        assert (await peer.read_answer())[0] == 200
        assert (await peer.read_answer())[0] == 408
        peer.close()


@pytest.mark.parametrize("size", [10, 100_000, 300_000], ids=["held", "streamed", "unparsed"])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
async def test_a_body_that_stops_coming_is_answered_408(size: int, chunked: bool) -> None:
    cut: list[bytes] = []

    async def script(peer: Peer) -> None:
        cut.append(await peer.read_to_end())

    async with (
        scripted(script) as upstream,
        running(upstream.origin, "timeouts.body_idle_s=0.1") as gateway,
    ):
        begun = b"x" * (size - 1)
        sent = request(POST, f"Content-Length: {size}") + begun
        if chunked:
            sent = request(POST, CHUNKED) + b"%x\r\n" % size + begun
        assert await refused(gateway, sent) == (408, b"request-timeout")
    assert all(not body.endswith(b"0\r\n\r\n") for body in cut)


async def test_a_long_body_that_keeps_coming_may_take_longer_than_it_may_pause() -> None:
    seen: list[tuple[bytes, bytes]] = []
    parts = [bytes([number]) * 60_000 for number in range(5)]
    async with (
        scripted(answering(OK, seen=seen)) as upstream,
        running(upstream.origin, "timeouts.body_idle_s=0.5") as gateway,
    ):
        peer = await gateway.dial()
        await peer.send(request(POST, "Content-Length: 300000"))
        for part in parts:
            await asyncio.sleep(0.2)
            await peer.send(part)
        assert (await peer.read_answer())[0] == 200
        peer.close()
    assert seen[0][1] == b"".join(parts)


@pytest.mark.parametrize(
    "field",
    ["Content-Length: 100000", "Content-Length: 300000", CHUNKED],
    ids=["length", "unparsed", "chunked"],
)
async def test_a_dripping_body_is_bounded_by_the_deadline(field: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.read_to_end()

    async with (
        scripted(script) as upstream,
        running(upstream.origin, "timeouts.first_byte_s=0.2") as gateway,
    ):
        peer = await gateway.dial()
        await peer.send(request(POST, field))
        dripping = asyncio.create_task(drip(peer, b"1\r\nx\r\n"))
        assert (await peer.read_answer())[0] == 408
        dripping.cancel()
        await asyncio.wait({dripping})
        peer.close()


@pytest.mark.parametrize("size", [3_000_000, 50_000_000], ids=["in our buffer", "streamed"])
@pytest.mark.parametrize("fields", [[], ["Connection: close"]], ids=["kept", "closing"])
async def test_a_caller_that_takes_nothing_is_cut(size: int, fields: list[str]) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(head + b"x" * size)
        await peer.read_to_end()

    async with (
        scripted(script) as upstream,
        running(upstream.origin, "timeouts.client_write_s=0.2") as gateway,
    ):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", gateway.port))
        sock.sendall(request(f"GET {PATH} HTTP/1.1", *fields))
        record = await gateway.recorder.wait_for(1)
        await asyncio.wait_for(gateway.gateway.gate.emptied(), PATIENCE_S)
        sock.close()
        assert record.upstream_status == 200


async def test_a_slow_caller_that_takes_something_is_not_cut() -> None:
    size = 3_000_000

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
        await peer.read_to_end()

    async with (
        scripted(script) as upstream,
        running(upstream.origin, "timeouts.client_write_s=0.15") as gateway,
    ):
        peer = await gateway.dial()
        await peer.send(request())
        await peer.read_head()
        for _ in range(6):
            await peer.read(size // 6)
            await asyncio.wait({asyncio.create_task(asyncio.sleep(0.05))})
        peer.close()
        assert (await gateway.recorder.wait_for(1)).status == 200

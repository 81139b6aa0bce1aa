"""Connections to upstreams: used again when that is safe, never when it is not."""

import asyncio

import pytest

from tests.wire import OK, PATH, Peer, answering, request, running, scripted

POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"


async def test_one_connection_serves_many_requests() -> None:
    answers = (
        OK,
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
    )
    async with scripted(answering(*answers)) as upstream, running(upstream.origin) as gateway:
        for _ in range(3):
            peer = await gateway.dial()
            for _ in range(10):
                await peer.send(request(f"PUT {PATH} HTTP/1.1", body=b"x" * 100))
                await peer.read_answer()
            peer.close()
        assert gateway.gateway.idle_upstream_connections() == 1
    assert upstream.connections == 1


async def test_the_newest_connection_is_used_first() -> None:
    free = asyncio.Event()
    served: list[int] = []

    async def script(peer: Peer) -> None:
        number = upstream.connections
        while True:
            await peer.read_request()
            served.append(number)
            if len(served) == 3:
                free.set()
            await free.wait()
            await peer.send(OK)

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        await asyncio.gather(*(gateway.ask(request()) for _ in range(3)))
        assert gateway.gateway.idle_upstream_connections() == 3
        for _ in range(5):
            await gateway.ask(request())
    assert sorted(served[:3]) == [1, 2, 3]
    assert len(set(served[3:])) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nConnection: x\r\nconnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        OK + b"\r\n",
        OK + OK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" + OK,
        b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
async def test_a_connection_that_may_not_serve_again_does_not(answer: bytes) -> None:
    ended = 0

    async def script(peer: Peer) -> None:
        nonlocal ended
        await peer.read_request()
        await peer.send(answer)
        assert await peer.read_to_end() == b""
        ended += 1

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        for _ in range(3):
            await peer.send(request())
            _, _, body = await peer.read_answer()
            assert body in (b"ok", b"", b"2\r\nok\r\n0\r\n\r\n")
        peer.close()
        assert gateway.gateway.idle_upstream_connections() == 0
    assert upstream.connections == 3
    assert ended == 3


async def test_an_unasked_answer_is_given_to_nobody() -> None:
    go, spoken = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        if upstream.connections == 1:
            await peer.read_request()
            await peer.send(OK)
            await go.wait()
            await peer.send(POISON)
            spoken.set()
        await answering(OK)(peer)

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(request())
        await peer.read_answer()
        go.set()
        await spoken.wait()
        for _ in range(2):
            await peer.send(request())
            assert (await peer.read_answer())[2] == b"ok"
        peer.close()
    assert upstream.connections == 2


async def test_what_the_kernel_holds_of_an_idle_connection_is_not_the_next_reply() -> None:
    peers: list[Peer] = []

    async def script(peer: Peer) -> None:
        peers.append(peer)
        await answering(OK)(peer)

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        await gateway.ask(request())
        pool = gateway.gateway.pools["platform"]
        # Written and looked at within one turn of the loop: it cannot have been read between.
        peers[0].writer.write(POISON)
        connection = await pool.acquire(asyncio.get_running_loop().time() + 5)
        assert connection.uses == 0
        connection.abort()


async def test_a_connection_is_used_again_after_its_reading_was_paused() -> None:
    size = 3_000_000

    async def script(peer: Peer) -> None:
        while True:
            await peer.read_request()
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"a" * size)

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        for _ in range(4):
            await peer.send(request())
            assert (await peer.read_answer())[2] == b"a" * size
        peer.close()
    assert upstream.connections == 1


async def test_a_paused_reply_whose_caller_goes_away_is_cut() -> None:
    over = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_request()
        peer.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 90000000\r\n\r\n")
        peer.writer.write(b"a" * 30_000_000)
        await peer.is_cut()
        over.set()

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(request())
        await peer.read_head()
        peer.reset()
        record = await gateway.recorder.wait_for(1)
        assert record.status in (200, 499)
        await asyncio.wait_for(over.wait(), 5)
        assert gateway.gateway.idle_upstream_connections() == 0


async def test_a_body_behind_a_head_that_came_in_parts_is_not_the_next_reply() -> None:
    forged = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
    first = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(forged) + forged

    async def script(peer: Peer) -> None:
        for cut, answer in ((20, first), (0, OK), (30, first), (0, OK)):
            await peer.read_request()
            if cut:
                await peer.send(answer[:cut])
                await asyncio.sleep(0.02)
            await peer.send(answer[cut:])

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        for expected in (forged, b"ok") * 2:
            peer = await gateway.dial()
            await peer.send(request())
            assert (await peer.read_answer())[2] == expected
            peer.close()
        assert upstream.connections == 1

"""gateway/engine/fast_connection.py: what stays in the lane, what is handed over, what ends."""

import asyncio
import socket

import pytest

from gateway.engine.fast_connection import MOST_WAITING_BYTES, PARTS_S, FastConnection
from gateway.engine.server import Server
from tests.wire import OK, PATH, Peer, Running, answering, request, running, scripted

FAST = "engine.fast_lane=true"
POST = request(f"POST {PATH} HTTP/1.1", body=b"abc")
CHUNKED = request(f"POST {PATH} HTTP/1.1", "Transfer-Encoding: chunked", body=b"0\r\n\r\n")


def lanes(gateway: Running) -> tuple[int, int]:
    """Return how many connections are in the fast lane and in the main lane."""
    (server,) = gateway.gateway.servers
    assert isinstance(server, Server)
    return len(server.lane.connections), len(server.connections)


async def told(peer: Peer, sent: bytes) -> int:
    await peer.send(sent)
    return (await peer.read_answer())[0]


async def test_plain_requests_stay_and_another_one_takes_the_connection_along() -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin, FAST) as gateway:
        peer = await gateway.dial()
        assert [await told(peer, POST), await told(peer, request())] == [200, 200]
        assert lanes(gateway) == (1, 0)
        assert await told(peer, CHUNKED) == 200
        assert lanes(gateway) == (0, 1)
        assert await told(peer, POST) == 200
        assert gateway.gateway.gate.connections == 1
        assert upstream.connections == 1
        peer.close()


async def test_a_request_in_parts_stays_when_they_follow_each_other() -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin, FAST) as gateway:
        peer = await gateway.dial()
        for part in (POST[:10], POST[10:-2], POST[-2:]):
            await peer.send(part)
            await asyncio.sleep(0)
        assert (await peer.read_answer())[0] == 200
        assert lanes(gateway) == (1, 0)
        peer.close()


async def test_a_part_that_is_left_alone_is_the_main_lanes() -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin, FAST) as gateway:
        peer = await gateway.dial()
        await peer.send(POST[:10])
        # The same event loop has the lane's timer, which is due before this one.
        await asyncio.sleep(3 * PARTS_S)
        assert lanes(gateway) == (0, 1)
        assert await told(peer, POST[10:]) == 200
        peer.close()


async def test_requests_that_follow_too_soon_are_answered_in_order() -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with (
        scripted(answering(OK, seen=seen)) as upstream,
        running(upstream.origin, FAST) as gateway,
    ):
        peer = await gateway.dial()
        # The first one alone, the next while it is under way.
        await peer.send(POST)
        await peer.send(request() * 3)
        assert [(await peer.read_answer())[0] for _ in range(4)] == [200] * 4
        assert [body for _, body in seen] == [b"abc", b"", b"", b""]
        peer.close()


async def test_what_follows_an_unanswered_request_is_not_read_without_end() -> None:
    asked, go = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        while True:
            await peer.read_request()
            asked.set()
            await go.wait()
            await peer.send(OK)

    async with scripted(script) as upstream, running(upstream.origin, FAST) as gateway:
        peer = await gateway.dial()
        await peer.send(POST)
        await asyncio.wait_for(asked.wait(), 10)
        (connection,) = gateway.gateway.servers[0]._all()
        assert isinstance(connection, FastConnection)
        # More than is held, the kernel's buffers included.
        flood = asyncio.create_task(peer.send(request() * 400_000))
        _, still = await asyncio.wait((flood,), timeout=0.5)
        assert still
        assert MOST_WAITING_BYTES < len(connection._held) < MOST_WAITING_BYTES + 2**19
        go.set()
        assert (await peer.read_answer())[0] == 200
        flood.cancel()
        await asyncio.wait((flood,))
        peer.reset()


async def test_a_caller_that_goes_away_is_taken_note_of() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_request()
        gone.set()
        assert await peer.read_to_end() == b""

    gone = asyncio.Event()
    async with scripted(script) as upstream, running(upstream.origin, FAST) as gateway:
        peer = await gateway.dial()
        await peer.send(request())
        await asyncio.wait_for(gone.wait(), 10)
        peer.reset()
        assert (await gateway.recorder.wait_for(1)).status == 499
        # A first connection is made by a task; with an idle one there is none.
        assert gateway.gateway.gate.in_flight == 0


async def test_a_caller_that_goes_away_from_a_pooled_connection_is_taken_note_of() -> None:
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(OK)
        await peer.read_request()
        gone.set()
        assert await peer.read_to_end() == b""

    async with scripted(script) as upstream, running(upstream.origin, FAST) as gateway:
        peer = await gateway.dial()
        assert await told(peer, request()) == 200
        await peer.send(request())
        await asyncio.wait_for(gone.wait(), 10)
        peer.reset()
        record = await gateway.recorder.wait_for(2)
        assert (record.status, record.upstream_s is None) == (499, False)
        assert gateway.gateway.gate.in_flight == 0
        assert gateway.gateway.idle_upstream_connections() == 0


async def test_a_body_that_never_came_is_taken_note_of() -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin, FAST) as gateway:
        peer = await gateway.dial()
        await peer.send(POST[:-1])
        peer.writer.write_eof()
        assert await peer.read_to_end() == b""
        record = await gateway.recorder.wait_for(1)
        assert (record.status, record.asked.method, record.attempts) == (499, "POST", 0)
        peer.close()
        assert upstream.connections == 0


async def test_a_request_that_says_close_is_answered_and_closed() -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin, FAST) as gateway:
        for _ in range(2):
            peer = await gateway.dial()
            await peer.send(request(f"GET {PATH} HTTP/1.1", "Connection: close"))
            _, head, body = await peer.read_answer()
            assert b"\r\nConnection: close\r\n" in head
            assert (body, await peer.read_to_end()) == (b"ok", b"")
            peer.close()
        assert upstream.connections == 1


async def test_an_idle_connection_is_closed_in_time() -> None:
    sets = ("timeouts.keepalive_s=0.2", "timeouts.head_s=0.2")
    async with (
        scripted(answering(OK)) as upstream,
        running(upstream.origin, FAST, *sets) as gateway,
    ):
        fresh, used = await gateway.dial(), await gateway.dial()
        assert await told(used, POST) == 200
        assert await fresh.read_to_end() == await used.read_to_end() == b""
        assert gateway.gateway.gate.connections == 0
        fresh.close()
        used.close()


async def test_a_request_that_came_in_parts_stays_while_its_answer_takes_long() -> None:
    async def answer_late(peer: Peer) -> None:
        await peer.read_request()
        await asyncio.sleep(3 * PARTS_S)
        await peer.send(OK)

    async with scripted(answer_late) as upstream, running(upstream.origin, FAST) as gateway:
        peer = await gateway.dial()
        await peer.send(POST[:10])
        await asyncio.sleep(0)
        assert await told(peer, POST[10:]) == 200
        assert lanes(gateway) == (1, 0)
        peer.close()


async def test_a_connection_is_not_idle_while_its_answer_takes_long() -> None:
    async def answer_late(peer: Peer) -> None:
        for _ in range(2):
            await peer.read_request()
            await asyncio.sleep(0.4)
            await peer.send(OK)
        await peer.read_to_end()

    sets = ("timeouts.keepalive_s=0.2", "timeouts.head_s=0.2")
    async with (
        scripted(answer_late) as upstream,
        running(upstream.origin, FAST, *sets) as gateway,
    ):
        peer = await gateway.dial()
        begin = asyncio.get_running_loop().time()
        assert [await told(peer, POST) for _ in range(2)] == [200, 200]
        assert await peer.read_to_end() == b""
        assert asyncio.get_running_loop().time() - begin >= 0.8 + 0.2
        assert upstream.connections == 1
        peer.close()


async def test_a_connection_too_many_is_told_so() -> None:
    async with (
        scripted(answering(OK)) as upstream,
        running(upstream.origin, FAST, "limits.max_connections=1") as gateway,
    ):
        first, second = await gateway.dial(), await gateway.dial()
        assert await told(first, POST) == 200
        assert (await second.read_answer())[0] == 503
        assert gateway.gateway.gate.connections <= 2
        first.close()
        second.close()


@pytest.mark.parametrize("pooled", [False, True])
async def test_a_drain_answers_what_has_no_answer(pooled: bool) -> None:
    asked = asyncio.Event()

    async def script(peer: Peer) -> None:
        if pooled:
            await peer.read_request()
            await peer.send(OK)
        await peer.read_request()
        asked.set()
        await peer.read_to_end()

    async with (
        scripted(script) as upstream,
        running(upstream.origin, FAST, "timeouts.drain_s=0.3") as gateway,
    ):
        peer = await gateway.dial()
        if pooled:
            assert await told(peer, request()) == 200
        await peer.send(request())
        await asyncio.wait_for(asked.wait(), 10)
        drained = asyncio.create_task(gateway.gateway.drain())
        status, head, _ = await peer.read_answer()
        assert status == 503
        assert b"X-Gateway-Error: draining" in head
        assert await peer.read_to_end() == b""
        peer.close()
        await drained
        assert (await gateway.recorder.wait_for(1 + pooled)).code == "draining"


async def test_a_caller_that_takes_nothing_is_cut_in_whichever_lane_it_is() -> None:
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n" + b"x" * 60000
    sets = (FAST, "timeouts.client_write_s=0.3", "timeouts.head_s=0.3", "timeouts.keepalive_s=60")
    async with scripted(answering(large)) as upstream, running(upstream.origin, *sets) as gateway:
        # As little as the kernel takes, on both sides.
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, ("127.0.0.1", gateway.port))
        for number in range(1, 101):
            await loop.sock_sendall(sock, POST)
            await gateway.recorder.wait_for(number)
            (connection,) = gateway.gateway.servers[0]._all()
            if connection.transport.get_write_buffer_size():  # type: ignore[union-attr]  # it is open
                break
        await loop.sock_sendall(sock, b"\r\n")
        async with asyncio.timeout(10):
            await gateway.gateway.gate.emptied()
        sock.close()


async def test_the_time_for_a_head_is_one_in_both_lanes() -> None:
    sets = (FAST, "timeouts.head_s=0.6")
    async with scripted(answering(OK)) as upstream, running(upstream.origin, *sets) as gateway:
        peer = await gateway.dial()
        (connection,) = gateway.gateway.servers[0]._all()
        assert isinstance(connection, FastConnection)
        begun = connection._head_by
        await peer.send(POST[:10])
        await asyncio.sleep(3 * PARTS_S)
        (handed,) = gateway.gateway.servers[0]._all()
        assert handed._head_watch._deadline == begun  # type: ignore[union-attr]  # the other lane's
        assert (await peer.read_answer())[0] == 408
        peer.close()

"""gateway/engine/fast_call.py: what happens at once, what a task goes on with, what is settled."""

import asyncio
import socket

import pytest

from gateway.engine import fast_call
from tests.wire import OK, PATH, Peer, answering, fields_of, request, running, scripted, values

FAST = "engine.fast_lane=true"
PUT = request(f"PUT {PATH} HTTP/1.1", body=b"abc")
BUSY = b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
REFUSED = (
    b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n"
    b'{"errorCode":"OAU-213"}\n'
)


@pytest.mark.parametrize(
    ("second", "status", "attempts"),
    [
        (OK, 200, 1),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, 1),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", 404, 1),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, 1),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, 1),
        (BUSY, 200, 2),
        (REFUSED, 401, 1),
        (b"", 200, 2),
        (b"HTTP/1.1 2", 502, 1),
        (b"rubbish\r\n\r\n", 502, 1),
    ],
)
async def test_an_answer_on_a_kept_connection(second: bytes, status: int, attempts: int) -> None:
    seen: list[bytes] = []

    async def script(peer: Peer) -> None:
        for reply in (OK, second) if upstream.connections == 1 else (OK,):
            seen.append((await peer.read_request())[1])
            await peer.send(reply)
        if len(seen) == 2:
            peer.close()
        else:
            await peer.read_to_end()

    async with scripted(script) as upstream, running(upstream.origin, FAST) as gateway:
        peer = await gateway.dial()
        for expected in (200, status):
            await peer.send(PUT)
            assert (await peer.read_answer())[0] == expected
        record = await gateway.recorder.wait_for(2)
        assert (record.status, record.attempts, record.bytes_in) == (status, attempts, 3)
        assert seen == [b"abc"] * (1 + attempts)
        assert gateway.gateway.gate.in_flight == 0
        peer.close()


async def test_a_body_that_comes_later_is_streamed() -> None:
    more = asyncio.Event()

    async def script(peer: Peer) -> None:
        for _ in range(2):
            await peer.read_request()
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
            await more.wait()
            await peer.send(b"cd")

    async with scripted(script) as upstream, running(upstream.origin, FAST) as gateway:
        peer = await gateway.dial()
        for _ in range(2):
            more.clear()
            await peer.send(PUT)
            await peer.read_head()
            assert await peer.read(2) == b"ab"
            more.set()
            assert await peer.read(2) == b"cd"
        assert (await gateway.recorder.wait_for(2)).bytes_out == 4
        peer.close()
        assert upstream.connections == 1


async def test_a_silent_upstream_is_given_up_at_the_deadline() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(OK)
        await peer.read_to_end()

    sets = (FAST, "timeouts.first_byte_s=0.2")
    async with scripted(script) as upstream, running(upstream.origin, *sets) as gateway:
        peer = await gateway.dial()
        for expected in (200, 504):
            await peer.send(PUT)
            assert (await peer.read_answer())[0] == expected
        assert (await gateway.recorder.wait_for(2)).attempts == 1
        peer.close()


async def test_links_are_rewritten_and_restored() -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with scripted(answering(OK, OK, seen=seen)) as first:
        origin = first.origin
    reply = b'{"uri":"%b/restapi/v1.0/x"}' % origin.encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    async with (
        scripted(answering(head % len(reply) + reply, seen=seen), port=first.port),
        running(origin, FAST, "links.rewrite=on") as gateway,
    ):
        here = b"http://127.0.0.1:%d/restapi/v1.0/x" % gateway.port
        body = b'{"uri":"%b"}' % here
        sent = request(
            f"PUT {PATH} HTTP/1.1",
            f"Host: 127.0.0.1:{gateway.port}",
            "Content-Type: application/json",
            body=body,
        )
        peer = await gateway.dial()
        for _ in range(2):
            await peer.send(sent)
            assert (await peer.read_answer())[2] == body
        assert [given for _, given in seen] == [reply] * 2
        assert values(seen[1][0], b"content-length") == [b"%d" % len(reply)]
        peer.close()


async def test_a_bug_of_ours_before_anything_was_asked_is_answered_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise ZeroDivisionError

    async with scripted(answering(OK)) as upstream, running(upstream.origin, FAST) as gateway:
        monkeypatch.setattr(fast_call, "WholeUpload", broken)
        status, head, _ = await gateway.ask(PUT)
        assert (status, dict(fields_of(head))[b"X-Gateway-Error"]) == (500, b"internal")
        assert isinstance((await gateway.recorder.wait_for(1)).bug, ZeroDivisionError)
        assert upstream.connections == 0


async def test_a_bug_of_ours_is_answered_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise ZeroDivisionError

    async with scripted(answering(OK)) as upstream, running(upstream.origin, FAST) as gateway:
        peer = await gateway.dial()
        await peer.send(PUT)
        assert (await peer.read_answer())[0] == 200
        monkeypatch.setattr(fast_call, "begin_answer", broken)
        await peer.send(PUT)
        status, head, _ = await peer.read_answer()
        assert (status, dict(fields_of(head))[b"X-Gateway-Error"]) == (500, b"internal")
        assert isinstance((await gateway.recorder.wait_for(2)).bug, ZeroDivisionError)
        assert gateway.gateway.idle_upstream_connections() == 0
        peer.close()


@pytest.mark.parametrize(
    ("size", "meanwhile", "after"),
    [
        (60_000, b"", b""),
        (60_000, b"", b"\r\n"),
        (60_000, b"\r\n", b"\r\n"),
        (60_000, b"y" * 200_000, b""),
        (2, b"y" * 200_000, b""),
        (2, request(f"GET {PATH} HTTP/1.1"), b""),
        (2, b"", b""),
    ],
)
async def test_an_answer_that_ends_the_connection_is_whole_whatever_else_is_sent(
    size: int, meanwhile: bytes, after: bytes
) -> None:
    """A caller that reads late, and sends more than it may behind its last request."""
    body = b"x" * size
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + body
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        while True:
            await peer.read_request()
            asked.set()
            await may_answer.wait()
            await peer.send(answer)

    closing = request(f"PUT {PATH} HTTP/1.1", "Connection: close", body=b"abc")
    loop = asyncio.get_running_loop()
    async with scripted(script) as upstream, running(upstream.origin, FAST) as gateway:
        # The first one opens the connection that the second one is served by at once.
        for _ in range(2):
            asked.clear()
            may_answer.clear()
            with socket.socket() as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                sock.setblocking(False)
                await loop.sock_connect(sock, ("127.0.0.1", gateway.port))
                await loop.sock_sendall(sock, closing)
                await asked.wait()
                sending = asyncio.create_task(loop.sock_sendall(sock, meanwhile))
                await asyncio.sleep(0.05)
                may_answer.set()
                await asyncio.sleep(0.05)
                await loop.sock_sendall(sock, after)
                got = b""
                # A reset would raise here.
                while piece := await loop.sock_recv(sock, 65536):
                    got += piece
                sending.cancel()
            head, _, rest = got.partition(b"\r\n\r\n")
            assert head.endswith(b"\r\nConnection: close")
            assert rest == body
        await gateway.recorder.wait_for(2)
        assert [record.status for record in gateway.records] == [200, 200]

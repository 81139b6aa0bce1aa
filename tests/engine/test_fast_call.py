"""gateway/engine/fast_call.py: what happens at once, what a task goes on with, what is settled."""

import asyncio
import socket

import pytest

from tests.wire import PATH, Peer, request, running, scripted

FAST = "engine.fast_lane=true"
PUT = request(f"PUT {PATH} HTTP/1.1", body=b"abc")
BUSY = b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
REFUSED = (
    b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n"
    b'{"errorCode":"OAU-213"}\n'
)


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

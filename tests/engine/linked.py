"""What the tests of the upstream side share: a connection whose other end the test plays."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.engine.upstream import UpstreamConnection
from tests.wire import Peer, scripted

ASK = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@asynccontextmanager
async def linked() -> AsyncIterator[tuple[UpstreamConnection, Peer]]:
    """Connect to a peer that does what the test says."""
    loop = asyncio.get_running_loop()
    accepted: asyncio.Future[Peer] = loop.create_future()
    over = asyncio.Event()

    async def script(peer: Peer) -> None:
        accepted.set_result(peer)
        await over.wait()

    async with scripted(script) as upstream:
        _, connection = await loop.create_connection(
            lambda: UpstreamConnection(loop), "127.0.0.1", upstream.port
        )
        yield connection, await accepted
        over.set()
        connection.abort()


def soon(seconds: float = 5.0) -> float:
    return asyncio.get_running_loop().time() + seconds


def end_now(peer: Peer) -> None:
    """End the peer's half of the connection at once; uvloop's transport would do it later."""
    with socket.socket(fileno=os.dup(peer.writer.get_extra_info("socket").fileno())) as twin:
        twin.shutdown(socket.SHUT_WR)

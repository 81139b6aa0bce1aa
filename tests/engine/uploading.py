"""Long uploads in the fast lane, with an idle upstream connection at hand, for their tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.engine.fast_connection import FastConnection
from gateway.engine.fast_upload import FastUpload
from tests.wire import (
    OK,
    PATH,
    PATIENCE_S,
    Peer,
    Running,
    Script,
    Upstream,
    request,
    running,
    scripted,
)

FAST = "engine.fast_lane=true"
BODY = bytes(range(256)) * 1200
HEAD = request(f"PUT {PATH} HTTP/1.1", f"Content-Length: {len(BODY)}")


@asynccontextmanager
async def warm(script: Script, *sets: str) -> AsyncIterator[tuple[Upstream, Running, Peer]]:
    """Run a gateway that has an idle upstream connection, and a caller that has been served."""
    async with scripted(script) as upstream, running(upstream.origin, FAST, *sets) as gateway:
        peer = await gateway.dial()
        await peer.send(request())
        assert (await peer.read_answer())[0] == 200
        yield upstream, gateway, peer
        peer.close()


def connection_of(gateway: Running) -> FastConnection:
    (connection,) = gateway.gateway.servers[0]._all()
    assert isinstance(connection, FastConnection)
    return connection


async def upload_of(gateway: Running) -> FastUpload:
    """Return the upload that is under way, once it is."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            upload = connection_of(gateway)._upload
            if upload is not None:
                return upload
            await asyncio.sleep(0)


def taking(bodies: list[bytes]) -> Script:
    """Return an upstream that answers one request, and takes what comes of the next one."""

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(OK)
        await peer.read_head()
        bodies.append(await peer.read_to_end())

    return script


async def handed_over(gateway: Running, peer: Peer) -> FastUpload:
    """Return an upload of which upstream takes no more, so that a task goes on, in this turn."""
    await peer.send(HEAD)
    upload = await upload_of(gateway)
    upstream = upload._upstream
    assert upstream is not None
    upstream.pause_writing()
    upload.receive(BODY[:10])
    return upload

"""What the tests of refusals share: a gateway that must not forward, and an answer that ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.wire import OK, Running, answering, running, scripted, values


@asynccontextmanager
async def unreached(*sets: str) -> AsyncIterator[Running]:
    """Run a gateway whose upstream must not be connected to."""
    async with scripted(answering(OK)) as upstream:
        async with running(upstream.origin, *sets) as gateway:
            yield gateway
        assert upstream.connections == 0


async def refused(gateway: Running, sent: bytes) -> tuple[int, bytes]:
    """Return the status and the code of an answer that ends its connection."""
    peer = await gateway.dial()
    await peer.send(sent)
    status, head, _ = await peer.read_answer()
    assert values(head, b"connection") == [b"close"]
    assert await peer.read_to_end() == b""
    peer.close()
    (code,) = values(head, b"x-gateway-error")
    return status, code

"""Something on a loopback port that answers whatever is said as a script says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.config.redis_address import RedisAddress
from tests import wire


class Scripted:
    """`reply` is sent for each command, or the end if it is empty; connections are counted.

    `delay_s` is how long it thinks before each reply.
    """

    def __init__(self, reply: bytes) -> None:
        self.reply = reply
        self.delay_s = 0.0
        self.connections = 0

    async def answer(self, peer: wire.Peer) -> None:
        self.connections += 1
        while (said := await peer.reader.read(65536)) and self.reply:
            await asyncio.sleep(self.delay_s)
            # A command is an array, which begins a line with "*".
            await peer.send(self.reply * (b"\r\n" + said).count(b"\r\n*"))


@asynccontextmanager
async def scripted(reply: bytes) -> AsyncIterator[tuple[RedisAddress, Scripted]]:
    """Listen, and answer each command."""
    script = Scripted(reply)
    async with wire.scripted(script.answer) as upstream:
        yield RedisAddress("127.0.0.1", upstream.port), script

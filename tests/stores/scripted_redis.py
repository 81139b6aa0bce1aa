"""Something on a loopback port that answers whatever is said as a script says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from gateway.config.redis_address import RedisAddress


class Scripted:
    """Counts the connections; `reply` is sent for each command, or the end if it is empty."""

    def __init__(self, reply: bytes) -> None:
        self.reply = reply
        self.connections = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError):
            while (said := await reader.read(65536)) and self.reply:
                # A command is an array, which begins a line with "*".
                writer.write(self.reply * (b"\r\n" + said).count(b"\r\n*"))
        writer.close()


@asynccontextmanager
async def scripted(reply: bytes) -> AsyncIterator[tuple[RedisAddress, Scripted]]:
    """Listen, and answer each command."""
    script = Scripted(reply)
    listening = await asyncio.start_server(script.answer, "127.0.0.1", 0)
    async with listening:
        yield RedisAddress("127.0.0.1", listening.sockets[0].getsockname()[1]), script

"""Messages between the parent process and one worker, over a Unix socket pair.

A message is a JSON object behind its length. Either side knows that the other one is gone
when the channel ends, however it went: the kernel closes the socket.

Rule: what is sent here stays on this machine, between two processes of one user; so a
configuration may be sent with the literals that it has.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from typing import Any, TypeAlias

import orjson

Message: TypeAlias = Mapping[str, Any]

_LENGTH_BYTES = 8


class Channel:
    """One end of the pair."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, sock: socket.socket) -> Channel:
        """Return the channel over a connected socket, which becomes its own."""
        sock.setblocking(False)
        return cls(*await asyncio.open_unix_connection(sock=sock))

    def send(self, message: Message) -> None:
        """Send a message; to nobody when the other side is gone."""
        if not self._writer.is_closing():
            data = orjson.dumps(message)
            self._writer.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)

    async def receive(self) -> Message | None:
        """Return the next message, None when the other side is gone."""
        try:
            length = int.from_bytes(await self._reader.readexactly(_LENGTH_BYTES), "big")
            message: Message = orjson.loads(await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return message

    async def close(self) -> None:
        """Let what was sent leave, and end the channel."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return

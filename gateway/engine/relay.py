"""The answer on its way to the caller: head, then body as it comes, then its honest end.

Rule 1: once a byte of the head has left, an error can only cut the connection; nothing
        here ends a body that upstream did not end.
Rule 2: no more is read from upstream than the caller takes.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Protocol

from gateway.core.chunked import LAST_CHUNK, frame_chunk, render_chunk
from gateway.core.framing import CHUNKS, CLOSE, Framing
from gateway.engine.events import Record
from gateway.engine.incoming import Connection
from gateway.engine.inflow import Take
from gateway.engine.splice import Passage
from gateway.engine.upstream import UpstreamConnection
from gateway.engine.wire import Wire
from gateway.errors import GatewayError

# More than this costs more to read than a new connection does to make.
DISCARD_BYTES = 65536
# The caller has its answer, and may be waiting to send its next request.
DISCARD_S = 1.0


class ReplyBody(Protocol):
    """Where the body comes from: an upstream connection, or what changes it on its way."""

    def take_body(self) -> tuple[bytes, bool]:
        """Return the bytes that are here already, and whether they are the last."""

    async def read_body(self, idle_s: float, take: Take | None = None) -> bytes:
        """Return the next bytes, b"" at the end; raise when the body is cut short.

        Those that `take` takes while this waits are not returned.
        """


async def relay_reply(
    connection: Connection,
    body: ReplyBody,
    head: bytes,
    framing: Framing,
    idle_s: float,
    record: Record,
) -> None:
    """Send the head and the body framed as `framing` says; count it in `record.bytes_out`."""
    if not framing.has_body:
        connection.write(head)
        return
    chunked = framing.kind is CHUNKS
    data, is_last = body.take_body()
    record.bytes_out = len(data)
    out = render_chunk(data) if data and chunked else data
    if is_last and chunked:
        out += LAST_CHUNK
    connection.writelines((head, out))
    downward = _Downward(connection, record, is_chunked=chunked)
    while not is_last:
        await connection.drain()
        data = await body.read_body(idle_s, downward)
        is_last = not data
        if data:
            downward.send(data)
        elif chunked:
            connection.write(LAST_CHUNK)
    await connection.drain()


class _Downward(Passage):
    """What sends bytes of a body to the caller as they come."""

    __slots__ = ("_connection", "_is_chunked", "_record")

    def __init__(self, connection: Connection, record: Record, *, is_chunked: bool) -> None:
        self._connection = connection
        self._record = record
        self._is_chunked = is_chunked

    def __call__(self, data: bytes) -> bool:
        """Send bytes while the caller takes them; tell whether they were sent."""
        if not self._connection.has_room:
            return False
        self.send(data)
        return True

    def outlet(self) -> Wire | None:
        if self._is_chunked or not self._connection.has_room:
            return None
        return self._connection.wire

    def count(self, size: int) -> None:
        self._record.bytes_out += size

    def send(self, data: bytes) -> None:
        """Send bytes, whether they are taken or not."""
        self.count(len(data))
        if self._is_chunked:
            self._connection.writelines(frame_chunk(data))
        else:
            self._connection.write(data)


async def discard_body(upstream: UpstreamConnection, framing: Framing) -> None:
    """Take the body of a reply that nobody wants, if that is little and comes soon.

    A connection whose body does not end here is not reusable, and the pool cuts it.
    """
    if framing.kind is CLOSE or framing.length > DISCARD_BYTES:
        return
    data, is_last = upstream.take_body()
    taken = len(data)
    with suppress(GatewayError, TimeoutError):
        async with asyncio.timeout(DISCARD_S):
            while not is_last and taken <= DISCARD_BYTES:
                data = await upstream.read_body(DISCARD_S)
                is_last = not data
                taken += len(data)

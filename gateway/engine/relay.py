"""The answer on its way to the caller: head, then body as it comes, then its honest end.

Rule 1: once a byte of the head has left, an error can only cut the connection; nothing
        here ends a body that upstream did not end.
Rule 2: no more is read from upstream than the caller takes.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import Protocol

from gateway.core.chunked import LAST_CHUNK, frame_chunk, render_chunk
from gateway.core.framing import CHUNKS, CLOSE, Framing
from gateway.engine.events import Record
from gateway.engine.incoming import Connection
from gateway.engine.inflow import Take
from gateway.engine.upstream import UpstreamConnection
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
    pass_on = partial(_pass_on, connection, record, chunked)
    while not is_last:
        await connection.drain()
        data = await body.read_body(idle_s, pass_on)
        is_last = not data
        if data:
            _send(connection, record, chunked, data)
        elif chunked:
            connection.write(LAST_CHUNK)
    await connection.drain()


def _pass_on(connection: Connection, record: Record, chunked: bool, data: bytes) -> bool:
    """Send bytes of a body as they come, while the caller takes them; tell whether they were."""
    if not connection.has_room:
        return False
    _send(connection, record, chunked, data)
    return True


def _send(connection: Connection, record: Record, chunked: bool, data: bytes) -> None:
    record.bytes_out += len(data)
    if chunked:
        connection.writelines(frame_chunk(data))
    else:
        connection.write(data)


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

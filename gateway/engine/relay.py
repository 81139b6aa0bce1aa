"""The answer on its way to the caller: head, then body as it comes, then its honest end.

Rule 1: once a byte of the head has left, an error can only cut the connection; nothing
        here ends a body that upstream did not end.
Rule 2: no more is read from upstream than the caller takes.
"""

from __future__ import annotations

from gateway.core.chunked import LAST_CHUNK, render_chunk
from gateway.core.framing import Framing, Kind
from gateway.core.headers import Fields
from gateway.core.message import ReplyHead
from gateway.engine.events import Record
from gateway.engine.incoming import Connection
from gateway.engine.upstream import UpstreamConnection

# Below this, head and body go out in one write; above, copying costs more than a write.
_JOIN_BYTES = 65536


def render_reply_head(head: ReplyHead, fields: Fields) -> bytes:
    """Return the head for the caller.

    RFC 9110 section 2.5: the version sent is the sender's own, whatever was received.
    """
    lines = [b"HTTP/1.1 %d %b" % (head.status, head.reason)]
    lines += map(b": ".join, fields)
    return b"\r\n".join(lines) + b"\r\n\r\n"


async def relay_reply(
    connection: Connection,
    upstream: UpstreamConnection,
    head: bytes,
    framing: Framing,
    idle_s: float,
    record: Record,
) -> None:
    """Send the head and the body framed as `framing` says; count it in `record.bytes_out`."""
    if not framing.has_body:
        connection.write(head)
        return
    chunked = framing.kind is Kind.CHUNKED
    data, is_last = upstream.take_body()
    record.bytes_out = len(data)
    out = render_chunk(data) if data and chunked else data
    if is_last and chunked:
        out += LAST_CHUNK
    _write_with_head(connection, head, out)
    while not is_last:
        await connection.drain()
        data = await upstream.read_body(idle_s)
        is_last = not data
        record.bytes_out += len(data)
        if chunked:
            data = render_chunk(data) if data else LAST_CHUNK
        connection.write(data)
    await connection.drain()


def _write_with_head(connection: Connection, head: bytes, data: bytes) -> None:
    if len(data) <= _JOIN_BYTES:
        connection.write(head + data)
    else:
        connection.write(head)
        connection.write(data)

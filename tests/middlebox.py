"""What stands between a network and the vendor: a CONNECT proxy, and a box that meddles.

`connecting` plays a proxy that opens a way to one port on loopback, whatever host it is
asked for. `meddling` plays a box that reads each request, and refuses or changes it.

Rule: both speak bytes of their own, and share no parser with the gateway.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from tests.wire import Peer, Script

OPENED = b"HTTP/1.1 200 Connection established\r\n\r\n"
Meddle = Callable[[bytes], bytes]


def connecting(port: int, seen: list[bytes] | None = None, opened: bytes = OPENED) -> Script:
    """Return a proxy whose every CONNECT leads to a port; `seen` gets the heads."""

    async def script(peer: Peer) -> None:
        head = await peer.read_head()
        if seen is not None:
            seen.append(head)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await peer.send(opened)
        back = asyncio.create_task(_copy(reader, peer.writer))
        try:
            await _copy(peer.reader, writer)
            await back
        finally:
            back.cancel()
            writer.close()

    return script


def answering_connect(reply: bytes, seen: list[bytes] | None = None) -> Script:
    """Return a proxy that answers CONNECT with some bytes, and waits for the other's end."""

    async def script(peer: Peer) -> None:
        head = await peer.read_head()
        if seen is not None:
            seen.append(head)
        await peer.send(reply)
        await peer.read_to_end()

    return script


def meddling(port: int, meddle: Meddle) -> Script:
    """Return a box in front of a port; a head that `meddle` makes empty gets its 403.

    One request for each connection: the box closes behind every answer.
    """

    async def script(peer: Peer) -> None:
        head, body = await peer.read_request()
        passed = meddle(head)
        if not passed:
            await peer.send(BLOCKED)
            return
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(passed.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + body)
        await _copy(reader, peer.writer)
        writer.close()

    return script


BLOCKED = (
    b"HTTP/1.1 403 Forbidden\r\nServer: boxd/1.0\r\nContent-Type: text/html\r\n"
    b"Content-Length: 9\r\nConnection: close\r\n\r\n<h1></h1>"
)


def pass_get_and_post(head: bytes) -> bytes:
    """Refuse every method but two."""
    return head if head.startswith((b"GET ", b"POST ")) else b""


def strip_override(head: bytes) -> bytes:
    """Refuse every method but two, and lose the override field."""
    lines = pass_get_and_post(head).split(b"\r\n")
    return b"\r\n".join(line for line in lines if not line.lower().startswith(b"x-http-method"))


def decode_plus(head: bytes) -> bytes:
    """Read an escaped plus in the target, and write it raw."""
    line, end, rest = head.partition(b"\r\n")
    return line.replace(b"%2B", b"+") + end + rest


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # Either end may be gone, also before its end could be told.
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()

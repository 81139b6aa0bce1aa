"""An upstream with a download that takes its time."""

import asyncio

from tests.wire import OK, Peer, Script

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


def downloading(size: int, go: asyncio.Event) -> Script:
    """Answer `OK`, and below `/download` `size` bytes, most of them not before `go`."""

    async def script(peer: Peer) -> None:
        while True:
            head = await peer.read_head()
            if b"/download " not in head:
                await peer.send(OK)
                continue
            await peer.send(HEAD % size + b"x" * 1000)
            await go.wait()
            await peer.send(b"x" * (size - 1000))

    return script

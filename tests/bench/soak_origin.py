"""The upstream of a soak: the path says how it behaves.

Rule: it answers a request only when all of it is here, so that what is counted as
answered was also sent whole.
"""

from __future__ import annotations

import asyncio

from tests.wire import Peer

BASE = "/restapi/v1.0/soak"
FAST = f"{BASE}/fast"
LARGE = f"{BASE}/large"
LONG = f"{BASE}/long"
CUT = f"{BASE}/cut"
LARGE_BYTES = 1 << 20
PIECE = bytes(65536)
# A long download: so many pieces with a pause before each.
LONG_PIECES = 60
LONG_PAUSE_S = 0.1
_JSON = b'{"readStatus":"Read"}'
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b"
# Bytes that are passed on as they come: JSON is looked through for links, and held if it is short.
_BYTES = b"application/octet-stream"


async def behave(peer: Peer) -> None:
    """Serve one connection (a script of `tests.wire.scripted`)."""
    while True:
        try:
            head, _ = await peer.read_request()
        except TimeoutError:
            # The gateway keeps it for later; nothing of a head has been taken.
            continue
        path = head.split(b" ", 2)[1].decode("ascii")
        if path == LONG:
            await _send_pieces(peer, LONG_PIECES, LONG_PAUSE_S)
        elif path == LARGE:
            await _send_pieces(peer, LARGE_BYTES // len(PIECE), 0.0)
        elif path == CUT:
            await peer.send(_OK % (_BYTES, 1000, b"half"))
            peer.reset()
            return
        else:
            await peer.send(_OK % (b"application/json", len(_JSON), _JSON))


async def _send_pieces(peer: Peer, count: int, pause_s: float) -> None:
    await peer.send(_OK % (_BYTES, count * len(PIECE), b""))
    for _ in range(count):
        if pause_s:
            await asyncio.sleep(pause_s)
        await peer.send(PIECE)

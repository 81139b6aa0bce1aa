"""SIGTERM under load: every request that was sent is answered whole, and the exit is 0."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tests.bench.soak_gateway import Soaked, soaked
from tests.bench.soak_origin import FAST, LONG, LONG_PIECES, PIECE
from tests.wire import request, values

DOWNLOADS = 20
CALLERS = 20
# After so long SIGTERM is sent: all downloads run, and have as long to go again and more.
UNTIL_STOP_S = 2.0


@dataclass(slots=True)
class Drained:
    """What came of a drain."""

    answered: int = 0
    failed: int = 0
    code: int = -1
    seconds: float = 0.0


async def drain() -> Drained:
    """Start long downloads and short requests, stop the gateway, and count."""
    drained = Drained()
    loop = asyncio.get_running_loop()
    async with soaked("timeouts.drain_s=20") as gateway, asyncio.TaskGroup() as group:
        for _ in range(DOWNLOADS):
            group.create_task(_download(gateway, drained))
        for _ in range(CALLERS):
            group.create_task(_ask_on(gateway, drained))
        await asyncio.sleep(UNTIL_STOP_S)
        begin = loop.time()
        gateway.started.process.terminate()
        drained.code = await gateway.started.process.wait()
        drained.seconds = loop.time() - begin
    return drained


async def _download(gateway: Soaked, drained: Drained) -> None:
    peer = await gateway.started.dial()
    try:
        await peer.send(request(f"GET {LONG} HTTP/1.1"))
        _, _, body = await peer.read_answer()
        whole = len(body) == LONG_PIECES * len(PIECE)
    except (OSError, asyncio.IncompleteReadError):
        whole = False
    finally:
        peer.close()
    _count(drained, whole=whole)


async def _ask_on(gateway: Soaked, drained: Drained) -> None:
    """Ask again and again until the gateway says that the connection, or it itself, ends."""
    while True:
        try:
            peer = await gateway.started.dial()
        except OSError:
            return
        closing = False
        while not closing:
            try:
                await peer.send(request(f"GET {FAST} HTTP/1.1"))
                status, head, _ = await peer.read_answer()
            except (OSError, asyncio.IncompleteReadError):
                _count(drained, whole=False)
                break
            _count(drained, whole=status == 200)
            closing = values(head, b"connection") == [b"close"]
        peer.close()


def _count(drained: Drained, *, whole: bool) -> None:
    if whole:
        drained.answered += 1
    else:
        drained.failed += 1

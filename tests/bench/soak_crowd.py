"""A crowd of idle and of malicious connections, and what a fast caller feels of it.

Idle connections have asked once and stay. Slowloris ones send a head that never ends, a
field every half second; the gateway cuts them after `timeouts.head_s`, and they come back.

Two gateways share a core, one of them with the crowd, and are asked in turn. A shared
machine's p99 moves by more than any crowd's effect from one minute to the next, so only
runs that follow each other are compared, and the median of their ratios is the figure.
"""

from __future__ import annotations

import asyncio
import json
import socket
import statistics
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

from tests.bench import paced
from tests.bench.peers import ROOT
from tests.bench.soak_gateway import Soaked, soaked

# Below what keeps a core busy; 25 requests of each run are above its p99.
RATE = 500.0
SECONDS = 5.0
# Of pairs, so that one pause of a shared machine, which makes a p99, makes no median.
PAIRS = 7
# Descriptors for all but the idle connections: slowloris ones, upstream ones, the fast caller.
SPARE = 2000
DRIP_S = 0.5


@dataclass(frozen=True, slots=True)
class Felt:
    """What the fast caller saw without and with the crowd; seconds, and MiB of the gateway.

    `alone` and `crowded` are the p99 of the runs of each pair, in turn.
    """

    idle: int
    slow: int
    alone: tuple[float, ...]
    crowded: tuple[float, ...]
    failed: int
    alone_mib: float
    crowded_mib: float
    cut: int

    @property
    def slowdown(self) -> float:
        """Return the median of what the crowd did to the p99 of a pair."""
        pairs = zip(self.crowded, self.alone, strict=True)
        return statistics.median(crowded / alone for crowded, alone in pairs)


def how_many(wanted: int, open_files: int) -> int:
    """Return how many idle connections the limit of open files allows."""
    return max(0, min(wanted, open_files - SPARE))


async def feel(idle: int, slow: int) -> Felt:
    """Measure the fast caller alone and within the crowd, in turn."""
    kept = "timeouts.keepalive_s=900"
    async with soaked(kept) as alone, soaked(kept) as crowded:
        with ExitStack() as stack:
            await asyncio.to_thread(_open_idle, crowded.port, idle, stack)
            async with _slowloris(crowded, slow) as counted:
                for gateway in (alone, crowded):
                    await _once(gateway, 2.0)
                pairs = [await _pair(alone, crowded, turn) for turn in range(PAIRS)]
                crowded_mib = crowded.memory_mib()
        alone_mib = alone.memory_mib()
    return Felt(
        idle=idle,
        slow=slow,
        alone=tuple(first["p99"] for first, _ in pairs),
        crowded=tuple(second["p99"] for _, second in pairs),
        failed=int(sum(run["failed"] for pair in pairs for run in pair)),
        alone_mib=alone_mib,
        crowded_mib=crowded_mib,
        cut=counted[0],
    )


async def _pair(
    alone: Soaked, crowded: Soaked, turn: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Measure one after the other, each of them first in every other turn."""
    if turn % 2:
        second = await _once(crowded, SECONDS)
        return await _once(alone, SECONDS), second
    return await _once(alone, SECONDS), await _once(crowded, SECONDS)


async def _once(gateway: Soaked, seconds: float) -> dict[str, float]:
    """Run the open-loop generator in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.paced", str(gateway.port), str(RATE), str(seconds)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    figures: dict[str, float] = json.loads(output)
    return figures


def _open_idle(port: int, count: int, stack: ExitStack) -> None:
    request = paced.norm_request(port)
    for _ in range(count):
        sock = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20.0))
        sock.sendall(request)
        held = b""
        while not paced.is_whole(held):
            data = sock.recv(65536)
            if not data:
                raise ConnectionResetError("an idle connection was refused")
            held += data


@asynccontextmanager
async def _slowloris(gateway: Soaked, count: int) -> AsyncIterator[list[int]]:
    """Keep `count` slow heads open; give how many times one was cut."""
    cut = [0]
    dripping = asyncio.create_task(_drip(gateway.port, count, cut))
    try:
        yield cut
    finally:
        dripping.cancel()
        await asyncio.wait((dripping,))


async def _drip(port: int, count: int, cut: list[int]) -> None:
    """Send the next field of one head after another, so that they come evenly."""
    with ExitStack() as stack:
        socks: list[socket.socket] = []
        for _ in range(count):
            await asyncio.sleep(DRIP_S / count)
            socks.append(stack.enter_context(_begin_head(port)))
        while True:
            for number, sock in enumerate(socks):
                await asyncio.sleep(DRIP_S / count)
                if _is_cut(sock):
                    cut[0] += 1
                    sock.close()
                    socks[number] = stack.enter_context(_begin_head(port))


def _begin_head(port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), timeout=20.0)
    sock.sendall(b"GET /restapi/v1.0/soak/fast HTTP/1.1\r\nHost: localhost\r\n")
    sock.setblocking(False)
    return sock


def _is_cut(sock: socket.socket) -> bool:
    """Send a field; tell whether the gateway has answered, or ended the connection."""
    try:
        sock.send(b"X-Slow: 1\r\n")
        sock.recv(4096)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True

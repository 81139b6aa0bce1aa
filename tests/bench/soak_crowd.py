"""A crowd of idle and of malicious connections, and what a fast caller feels of it.

Idle connections have asked once and stay. Slowloris ones send a head that never ends, a
field every half second; the gateway cuts them after `timeouts.head_s`, and they come back.
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

RATE = 200.0
# The median of so many runs, because one pause of a shared machine makes a p99.
RUNS = 3
SECONDS = 5.0
# Descriptors for all but the idle connections: slowloris ones, upstream ones, the fast caller.
SPARE = 2000
DRIP_S = 0.5


@dataclass(frozen=True, slots=True)
class Felt:
    """What the fast caller saw without and with the crowd; seconds, and MiB of the gateway."""

    idle: int
    slow: int
    alone_p99: float
    crowded_p99: float
    failed: int
    alone_mib: float
    crowded_mib: float
    cut: int


def how_many(wanted: int, open_files: int) -> int:
    """Return how many idle connections the limit of open files allows."""
    return max(0, min(wanted, open_files - SPARE))


async def feel(idle: int, slow: int) -> Felt:
    """Measure the fast caller alone, then within the crowd."""
    async with soaked("timeouts.keepalive_s=900") as gateway:
        await _once(gateway, 2.0)
        alone = await _measure(gateway)
        alone_mib = gateway.memory_mib()
        with ExitStack() as stack:
            await asyncio.to_thread(_open_idle, gateway.port, idle, stack)
            async with _slowloris(gateway, slow) as counted:
                crowded = await _measure(gateway)
                crowded_mib = gateway.memory_mib()
    return Felt(
        idle=idle,
        slow=slow,
        alone_p99=alone["p99"],
        crowded_p99=crowded["p99"],
        failed=int(alone["failed"] + crowded["failed"]),
        alone_mib=alone_mib,
        crowded_mib=crowded_mib,
        cut=counted[0],
    )


async def _measure(gateway: Soaked) -> dict[str, float]:
    """Return the median p99 of several runs, and all the requests that failed in them."""
    seen = [await _once(gateway, SECONDS) for _ in range(RUNS)]
    return {
        "p99": statistics.median(run["p99"] for run in seen),
        "failed": sum(run["failed"] for run in seen),
    }


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
        socks = [stack.enter_context(_begin_head(port)) for _ in range(count)]
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

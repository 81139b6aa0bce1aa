"""Minutes of mixed load: what callers do, the rude ones too, and what it leaves behind.

Each caller plays one behaviour after another, drawn with a seed, and checks the answer it
got. Memory is looked at once a second.

Rule: an abort is the caller's own; everything else must be answered whole.
"""

from __future__ import annotations

import asyncio
import random
import statistics
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from gateway.engine.pipes import KEPT_S
from tests.bench.soak_gateway import Soaked, soaked
from tests.bench.soak_origin import BASE, CUT, FAST, LARGE, LARGE_BYTES
from tests.wire import Peer, request

CALLERS = 40
SETTLE_S = 10.0
_BODY = bytes(LARGE_BYTES)


class Wrong(Exception):
    """An answer that is not what it should be."""


@dataclass(slots=True)
class Left:
    """What a run did and what it left: counts by behaviour, failures, samples of memory."""

    done: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    memory_mib: list[float] = field(default_factory=list)
    in_flight: float = 0.0
    connections: float = 0.0
    descriptors: tuple[int, int] = (0, 0)
    errors: int = 0


def growth(samples: Sequence[float]) -> float:
    """Return by which share memory grew after the warm-up, which is the first third.

    The medians of the first and the last quarter of the rest are compared.
    """
    steady = samples[len(samples) // 3 :]
    part = max(1, len(steady) // 4)
    return statistics.median(steady[-part:]) / statistics.median(steady[:part]) - 1


async def mix(minutes: float, seed: int) -> Left:
    """Load a gateway for some minutes."""
    left = Left()
    async with soaked() as gateway:
        await _Caller(gateway, random.Random(seed), left).once("get", _get)
        before = gateway.descriptors
        end = asyncio.get_running_loop().time() + minutes * 60
        callers = [_Caller(gateway, random.Random(seed + n), left) for n in range(CALLERS)]
        async with asyncio.TaskGroup() as group:
            group.create_task(_sample(gateway, left, end))
            for caller in callers:
                group.create_task(caller.play(end))
        await gateway.settled(SETTLE_S)
        # A pipe that has become free is open for a moment more.
        await asyncio.sleep(2 * KEPT_S)
        gauges = await gateway.gauges()
        left.in_flight = gauges["rcgw_in_flight_requests"]
        left.connections = gauges["rcgw_open_connections"]
        idle = int(gauges["rcgw_idle_upstream_connections"])
        left.descriptors = (before, gateway.descriptors - idle)
        left.errors = gateway.errors
    return left


async def _sample(gateway: Soaked, left: Left, end: float) -> None:
    while asyncio.get_running_loop().time() < end:
        left.memory_mib.append(gateway.memory_mib())
        await asyncio.sleep(1.0)


class _Caller:
    """One caller, who keeps a connection while it can be kept."""

    def __init__(self, gateway: Soaked, dice: random.Random, left: Left) -> None:
        self._gateway = gateway
        self._dice = dice
        self._left = left

    async def play(self, end: float) -> None:
        names = list(_BEHAVIOURS)
        weights = [weight for weight, _ in _BEHAVIOURS.values()]
        while asyncio.get_running_loop().time() < end:
            (name,) = self._dice.choices(names, weights)
            await self.once(name, _BEHAVIOURS[name][1])

    async def once(self, name: str, behave: Callable[[Peer], Awaitable[None]]) -> None:
        peer = await self._gateway.started.dial(receive_bytes=16384 if name == "slow reader" else 0)
        try:
            await behave(peer)
        except (Wrong, OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            self._left.failures[f"{name}: {type(error).__name__} {error}"[:120]] += 1
        finally:
            peer.close()
        self._left.done[name] += 1


async def _get(peer: Peer) -> None:
    for _ in range(20):
        await _ask(peer, request(f"GET {FAST} HTTP/1.1"))


async def _post(peer: Peer) -> None:
    for _ in range(10):
        await _ask(peer, request(f"POST {FAST} HTTP/1.1", body=b'{"text":"hello"}'))


async def _tunnelled(peer: Peer) -> None:
    fields = ("X-HTTP-Method-Override: DELETE", "Content-Length: 0")
    for _ in range(10):
        await _ask(peer, request(f"POST {FAST}?_method=DELETE HTTP/1.1", *fields))


async def _upload(peer: Peer) -> None:
    await _ask(peer, request(f"PUT {BASE}/upload HTTP/1.1", body=_BODY))


async def _chunked(peer: Peer) -> None:
    body = b"10000\r\n" + bytes(65536) + b"\r\n"
    await peer.send(request(f"PUT {BASE}/upload HTTP/1.1", "Transfer-Encoding: chunked"))
    for _ in range(8):
        await peer.send(body)
    await _ask(peer, b"0\r\n\r\n")


async def _download(peer: Peer) -> None:
    body = await _ask(peer, request(f"GET {LARGE} HTTP/1.1"))
    if len(body) != LARGE_BYTES:
        raise Wrong(f"{len(body)} bytes")


async def _slow_reader(peer: Peer) -> None:
    await peer.send(request(f"GET {LARGE} HTTP/1.1"))
    await peer.read_head()
    for _ in range(LARGE_BYTES // 65536):
        await asyncio.sleep(0.02)
        await peer.read(65536)


async def _abort_download(peer: Peer) -> None:
    await peer.send(request(f"GET {LARGE} HTTP/1.1"))
    await peer.read_head()
    peer.reset()


async def _abort_upload(peer: Peer) -> None:
    fields = (f"Content-Length: {LARGE_BYTES}",)
    await peer.send(request(f"PUT {BASE}/upload HTTP/1.1", *fields) + _BODY[: LARGE_BYTES // 2])
    peer.reset()


async def _cut(peer: Peer) -> None:
    """Ask for what upstream breaks off: the gateway must cut, and never end the answer."""
    await peer.send(request(f"GET {CUT} HTTP/1.1"))
    if not await peer.is_cut():
        raise Wrong("a broken answer ended in order")


async def _refused(peer: Peer) -> None:
    await peer.send(request("GET /nowhere HTTP/1.1"))
    if (await peer.read_answer())[0] != 404:
        raise Wrong("a path without a route was not refused")


async def _ask(peer: Peer, data: bytes) -> bytes:
    await peer.send(data)
    status, _, body = await peer.read_answer()
    if status != 200:
        raise Wrong(f"status {status}")
    return body


_BEHAVIOURS: dict[str, tuple[int, Callable[[Peer], Awaitable[None]]]] = {
    "get": (8, _get),
    "post": (6, _post),
    "tunnelled": (6, _tunnelled),
    "upload": (2, _upload),
    "chunked upload": (2, _chunked),
    "download": (3, _download),
    "slow reader": (2, _slow_reader),
    "aborted download": (2, _abort_download),
    "aborted upload": (2, _abort_upload),
    "cut by upstream": (1, _cut),
    "refused": (2, _refused),
}

"""Too much at once: it is turned away before it costs memory, and forgotten when it is over.

Overload here is of requests, of connections and of file descriptors, in a process of its own.
"""

import asyncio
import json
import resource
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from gateway.config.model import Limits
from gateway.engine.admission import TOLD_TOO_MANY
from gateway.engine.descriptors import count_callers
from tests.started import MIB, Started, serving
from tests.wire import OK, PATH, Peer, answering, request, values

# The gateway is a process, on the event loop in service; this one is the callers'.
pytestmark = pytest.mark.asyncio(loop_factories=["asyncio"])
CALLERS = 200
# Each caller sends this, so that all of them together would show.
BODY = b"x" * MIB
# Buffers of a few connections, and what the allocator keeps of them.
MAX_GROWTH_BYTES = 40 * MIB
POST = request(f"POST {PATH} HTTP/1.1", body=BODY)
LAST_HOP = request(f"OPTIONS {PATH} HTTP/1.1", "Max-Forwards: 0")
CUT = 0


async def ask(peer: Peer, sent: bytes) -> int:
    """Return the status, or `CUT`; a refusal is `overloaded` and says when to come back."""
    try:
        with suppress(ConnectionError):
            await peer.send(sent)
        status, head, _ = await peer.read_answer()
    except (EOFError, ConnectionError):
        return CUT
    if status == 503:
        assert values(head, b"x-gateway-error") == [b"overloaded"]
        assert values(head, b"retry-after") == [b"1"]
    return status


@asynccontextmanager
async def callers(gateway: Started, count: int = CALLERS) -> AsyncIterator[list[Peer]]:
    """Give as many connections to the gateway, less those that it cut at once."""
    peers: list[Peer] = []
    try:
        for _ in range(count):
            with suppress(ConnectionError):
                peers.append(await gateway.dial())
        yield peers
    finally:
        for peer in peers:
            peer.close()


async def is_served(gateway: Started) -> bool:
    """Tell whether a new connection gets an answer of upstream's, and close it."""
    async with callers(gateway, 1) as peers:
        return [await ask(peer, request()) for peer in peers] == [200]


async def test_requests_over_the_limit_are_refused_before_they_cost_memory() -> None:
    release = asyncio.Event()

    async def script(peer: Peer) -> None:
        while True:
            await peer.read_head()
            await release.wait()
            await peer.read(MIB)
            await peer.send(OK)

    async with serving(script, "127.0.0.1:0", "limits.max_in_flight=4") as gateway:
        before = gateway.memory("VmRSS")
        async with callers(gateway) as peers:
            waiting = {asyncio.create_task(ask(peer, POST)) for peer in peers}
            while len(waiting) > 4:
                ended, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                assert {task.result() for task in ended} == {503}
            assert gateway.memory("VmHWM") - before < MAX_GROWTH_BYTES
            release.set()
            assert [await task for task in waiting] == [200] * 4


async def test_connections_over_the_limit_are_refused_before_they_cost_memory() -> None:
    async with serving(answering(OK), "127.0.0.1:0", "limits.max_connections=20") as gateway:
        before = gateway.memory("VmRSS")
        async with callers(gateway) as peers:
            statuses = Counter(await asyncio.gather(*(ask(peer, POST) for peer in peers)))
            assert statuses[200] == 20
            assert 0 < statuses[503] <= TOLD_TOO_MANY
            assert set(statuses) <= {200, 503, CUT}
            assert gateway.memory("VmHWM") - before < MAX_GROWTH_BYTES
        while not await is_served(gateway):
            pass


async def test_a_request_without_a_descriptor_for_upstream_is_refused_and_the_next_served() -> None:
    async with serving(answering(OK)) as gateway, callers(gateway, 2) as (first, second):
        # Answered here, so that both are known to be accepted.
        assert await ask(second, LAST_HOP) == await ask(first, LAST_HOP) == 204
        pid = gateway.process.pid
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        # Fewer than are open: not even what is closed now can be opened again.
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, hard))
        for _ in range(20):
            assert await ask(first, request()) == 503
        assert gateway.process.stdout is not None
        while b"no file descriptor is left" not in await gateway.process.stdout.readline():
            pass
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        assert await ask(first, request()) == 200
        assert await ask(second, request()) == 200


async def test_with_few_descriptors_those_who_are_let_in_are_served() -> None:
    async with serving(answering(OK), open_files=(256, 256)) as gateway:
        async with callers(gateway, 300) as peers:
            statuses = Counter(await asyncio.gather(*(ask(peer, request()) for peer in peers)))
        assert statuses[200] == count_callers(Limits(), 256)
        assert statuses[503] <= TOLD_TOO_MANY


async def test_a_process_out_of_descriptors_hangs_nobody_and_serves_when_it_has_some() -> None:
    async with serving(answering(OK), open_files=(64, 64)) as gateway:
        async with callers(gateway) as peers:
            statuses = Counter(await asyncio.gather(*(ask(peer, request()) for peer in peers)))
            assert set(statuses) <= {200, 503, CUT}
            # More than there are descriptors for cannot have been answered.
            assert statuses.total() - statuses[CUT] < 64
        while not await is_served(gateway):
            pass
        gateway.process.terminate()
        assert await gateway.code() == 0
        assert await gateway.errors() == ""
        assert gateway.process.stdout is not None
        lines = (await gateway.process.stdout.read()).splitlines()
    # A line for each request, as always, and none for what was turned away unheard.
    told = Counter(json.loads(line)["event"] for line in lines)
    # That nothing is left is said once in a second, if it lasts.
    told = Counter({said: count for said, count in told.items() if "no file" not in said})
    assert told == {"request": told["request"], "draining": 1, "stopped": 1}
    assert told["request"] <= CALLERS

"""Four gateways and one Redis for ten simulated hours: one session, and nobody notices.

The vendor's time runs 600 times as fast, and the gateways' own windows are set to match.
One gateway is killed in the middle of a refresh and another takes its place; Redis is
killed twice and comes back empty. It takes a minute, on an event loop of its own, so that it
is run once.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest

from gateway import simulator
from tests.e2e.vendor import GET, JWT_SETS, token_calls, vendor
from tests.eventually import eventually
from tests.redis_server import RedisServer
from tests.started import Started, process
from tests.wire import Peer

SCALE = 600
TEN_HOURS_S = 36_000 / SCALE
# The vendor's minute, and ten seconds, in this time; 300 documented seconds for a lease.
WINDOWS = (
    'credentials.ringcentral.grant="jwt"',
    *JWT_SETS,
    f"credentials.ringcentral.auth_window_s={60 / SCALE}",
    f"credentials.ringcentral.auth_retry_s={10 / SCALE}",
    "stores.lease_s=0.5",
    "rates.mode=off",
)
# Between two requests on a connection: enough of them to meet every moment of a refresh.
PACE_S = 0.01


class Fleet:
    """Gateways by their User-Agent, which tells the vendor's notebook who called."""

    def __init__(self, upstream: simulator.Running, redis: RedisServer) -> None:
        self.upstream = upstream
        self.redis = redis
        self.gateways: dict[str, Started] = {}
        self.statuses: Counter[int] = Counter()
        self.killed: set[str] = set()
        self._stack = AsyncExitStack()
        self._asking: list[asyncio.Task[None]] = []
        self._reading: list[asyncio.Task[None]] = []
        self._is_over = False

    async def add(self, name: str) -> None:
        """Start a gateway, and a caller that asks it until the end."""
        gateway = await self._stack.enter_async_context(
            process(
                self.upstream.origin,
                "127.0.0.1:0",
                f'user_agent.product="{name}/1"',
                f'stores.redis="{self.redis.address}"',
                *WINDOWS,
            )
        )
        binds = (await gateway.event("listening"))["binds"]
        assert isinstance(binds, list)
        gateway.bind = binds[0]
        self.gateways[name] = gateway
        self._asking.append(asyncio.create_task(self._ask(name, await gateway.dial())))
        self._reading.append(asyncio.create_task(read_log(gateway)))

    async def kill_in_a_refresh(self) -> None:
        """Kill the gateway whose token call is held at the vendor, then let the call go on."""
        self.upstream.control.stall(1)
        await eventually(lambda: self.upstream.control.report()["held"])
        call = self.upstream.control.troubles.latest
        assert call is not None
        name = call.fields("User-Agent")[0].partition("/")[0]
        self.killed.add(name)
        self.gateways[name].process.kill()
        await self.gateways[name].process.wait()
        self.upstream.control.release()

    async def end(self) -> None:
        """Stop asking, then the gateways; a caller that failed fails the test."""
        self._is_over = True
        await asyncio.gather(*self._asking)
        for gateway in self.gateways.values():
            with suppress(ProcessLookupError):
                gateway.process.terminate()
        await asyncio.gather(*self._reading)
        await self._stack.aclose()

    async def _ask(self, name: str, peer: Peer) -> None:
        try:
            while not self._is_over:
                await peer.send(GET)
                self.statuses[(await peer.read_answer())[0]] += 1
                await asyncio.sleep(PACE_S)
        except (ConnectionError, asyncio.IncompleteReadError):
            # A request that its gateway took with it when it was killed was not answered wrongly.
            assert name in self.killed
        finally:
            peer.close()


async def read_log(gateway: Started) -> None:
    """Read what a gateway writes to its end, so that it is never held up by it."""
    assert gateway.process.stdout is not None
    while await gateway.process.stdout.readline():
        pass


@asynccontextmanager
async def fleet_of(redis: RedisServer) -> AsyncIterator[Fleet]:
    async with vendor(SCALE) as upstream:
        fleet = Fleet(upstream, redis)
        try:
            for name in ("one", "two", "three", "four"):
                await fleet.add(name)
            yield fleet
        finally:
            await fleet.end()


@pytest.mark.timeout(180)
def test_a_fleet_keeps_one_session_through_everything(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as redis:
        asyncio.run(ten_hours(redis))


async def ten_hours(redis: RedisServer) -> None:
    async with fleet_of(redis) as fleet:
        start = time.monotonic()
        await asyncio.sleep(TEN_HOURS_S / 4)
        await fleet.kill_in_a_refresh()
        await fleet.add("five")
        for quarter in (2, 3):
            await asyncio.sleep(start + quarter * TEN_HOURS_S / 4 - time.monotonic())
            redis.stop()
            await asyncio.sleep(180 / SCALE)
            redis.start()
        await asyncio.sleep(start + TEN_HOURS_S - time.monotonic())
        report = fleet.upstream.control.report()
        calls = token_calls(fleet.upstream)
        answered = fleet.statuses
    assert set(answered) == {200}
    assert answered[200] > 1000
    assert report["sessions_made"] == 1
    assert report["token_calls_limited"] == 0
    assert set(calls["jwt"]) == {"200"}
    assert sum(calls["refresh_token"].values()) >= 8, calls
    assert set(calls["refresh_token"]) <= {"200", "dropped"}, calls

"""Gateways and one Redis: one limit of the vendor's for all of them, and one penalty."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from gateway import simulator
from gateway.stores.waiting import wait_until
from tests.e2e.vendor import OWNED, vendor
from tests.redis_server import RedisServer
from tests.simulator.asking import log_in
from tests.started import Started, process
from tests.wire import Peer, request

LINE = "GET /restapi/v1.0/account/~/call-log HTTP/1.1"
HEAVY = request(LINE)
# A window, and a penalty, of three seconds.
SCALE = 20.0


async def started(stack: AsyncExitStack, origin: str, redis: RedisServer) -> Started:
    sets = (*OWNED, 'credentials.ringcentral.grant="jwt"', f'stores.redis="{redis.address}"')
    gateway = await stack.enter_async_context(process(origin, "127.0.0.1:0", *sets))
    binds = (await gateway.event("listening"))["binds"]
    assert isinstance(binds, list)
    gateway.bind = binds[0]
    return gateway


async def ask(gateway: Started, times: int) -> list[int]:
    peer = await gateway.dial()
    statuses = []
    for _ in range(times):
        await peer.send(HEAVY)
        statuses.append((await peer.read_answer())[0])
    peer.close()
    return statuses


@pytest.mark.timeout(120)
def test_eight_gateways_stay_within_ten_a_minute(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as redis:
        asyncio.run(ask_from_everywhere(redis))


async def ask_from_everywhere(redis: RedisServer) -> None:
    async with vendor(enforce_rates=True) as upstream, AsyncExitStack() as stack:
        gateways = await asyncio.gather(*(started(stack, upstream.origin, redis) for _ in range(8)))
        answers = await asyncio.gather(*(ask(gateway, 5) for gateway in gateways))
        report = upstream.control.report()
    statuses = Counter(status for statuses in answers for status in statuses)
    assert statuses == {200: 10, 429: 30}
    assert report["requests_refused"] == {}
    assert report["token_calls"] == {"jwt": {"200": 1}}


@pytest.mark.timeout(120)
def test_one_429_is_all_that_a_fleet_gets_and_then_all_of_it_passes(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as redis:
        asyncio.run(ask_through_a_penalty(redis))


async def spend_all(upstream: simulator.Running) -> None:
    """Be another program of the same application, which asks until nothing remains."""
    bearer = f"Authorization: Bearer {(await log_in(upstream))['access_token']}"
    host, _, port = upstream.origin.rpartition("/")[2].partition(":")
    peer = Peer(*await asyncio.open_connection(host, int(port)))
    for _ in range(10):
        await peer.send(request(LINE, bearer))
        assert (await peer.read_answer())[0] == 200
    peer.close()


async def ask_until_it_passes(gateway: Started) -> None:
    """Ask as a program does that does not heed Retry-After."""

    async def passes() -> bool:
        return await ask(gateway, 1) == [200]

    assert await wait_until(passes, 60.0, 0.05)


async def ask_through_a_penalty(redis: RedisServer) -> None:
    async with vendor(SCALE, enforce_rates=True) as upstream, AsyncExitStack() as stack:
        gateways = await asyncio.gather(*(started(stack, upstream.origin, redis) for _ in range(2)))
        await spend_all(upstream)
        assert await ask(gateways[0], 1) == [429]
        await asyncio.gather(*map(ask_until_it_passes, gateways))
        report = upstream.control.report()
    assert report["requests_refused"] == {"heavy": 1}

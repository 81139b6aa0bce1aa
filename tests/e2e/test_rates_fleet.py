"""Eight gateways and one Redis: one limit of the vendor's for all of them, not one more."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.e2e.vendor import OWNED, vendor
from tests.redis_server import RedisServer
from tests.started import Started, process
from tests.wire import request

HEAVY = request("GET /restapi/v1.0/account/~/call-log HTTP/1.1")


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

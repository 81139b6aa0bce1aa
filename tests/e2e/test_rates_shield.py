"""The vendor's rate limits, with and without the gateway between.

The vendor's minute is a second here (time scale 60): a limit of ten a minute, and a
penalty of a minute that every further request begins anew.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from gateway.simulator import TOKEN
from tests.e2e.vendor import OWNED, vendor
from tests.wire import Peer, request, running, values

HEAVY = "GET /restapi/v1.0/account/~/call-log HTTP/1.1"
SCALE = 60
TEN_MINUTES_S = 600 / SCALE


async def loop_without_manners(dial: Callable[[], Awaitable[Peer]], raw: bytes) -> Counter[int]:
    """Ask for ten simulated minutes, as fast as answers come, whatever they say."""
    statuses: Counter[int] = Counter()
    peer = await dial()
    end = asyncio.get_running_loop().time() + TEN_MINUTES_S
    while asyncio.get_running_loop().time() < end:
        await peer.send(raw)
        statuses[(await peer.read_answer())[0]] += 1
        await asyncio.sleep(0.01)
    peer.close()
    return statuses


async def test_without_the_gateway_a_caller_that_ignores_429_is_trapped() -> None:
    async with vendor(SCALE, enforce_rates=True) as upstream:

        async def dial() -> Peer:
            return Peer(*await asyncio.open_connection("127.0.0.1", upstream.port))

        statuses = await loop_without_manners(
            dial, request(HEAVY, f"Authorization: Bearer {TOKEN}")
        )
        report = upstream.control.report()
    assert statuses[200] == 10
    assert report["penalties_begun"] == 1
    assert report["requests_in_penalty"] == statuses[429] - 1


async def test_with_it_the_vendor_sees_no_request_during_a_penalty() -> None:
    async with (
        vendor(SCALE, enforce_rates=True) as upstream,
        running(upstream.origin, *OWNED, grant="jwt") as gateway,
    ):
        statuses = await loop_without_manners(gateway.dial, request(HEAVY))
        report = upstream.control.report()
        limited = [record for record in gateway.records if record.limited]
    assert report["requests_in_penalty"] == 0
    # Ten in each of the ten minutes, but for what a window's edge costs.
    assert statuses[200] >= 80
    assert set(statuses) == {200, 429}
    assert {record.code for record in limited} == {"rate-shield"}
    assert len(limited) == statuses[429]


async def test_traffic_resumes_at_the_first_allowed_second() -> None:
    async with (
        vendor(SCALE, enforce_rates=True) as upstream,
        running(upstream.origin, *OWNED, grant="jwt") as gateway,
    ):
        loop = asyncio.get_running_loop()
        last_allowed = 0.0
        for _ in range(10):
            last_allowed = loop.time()
            assert (await gateway.ask(request(HEAVY)))[0] == 200
        status, head, _ = await gateway.ask(request(HEAVY))
        assert values(head, b"x-gateway-error") == [b"rate-shield"]
        assert values(head, b"retry-after") == [b"1"]
        while status != 200:
            await asyncio.sleep(0.005)
            status, _, _ = await gateway.ask(request(HEAVY))
        resumed_s = loop.time() - last_allowed
        assert upstream.control.report()["requests_in_penalty"] == 0
    # A window after the last answer, and no request before that.
    assert resumed_s >= 60 / SCALE


async def test_who_may_wait_is_answered_instead() -> None:
    sets = (*OWNED, "rates.mode=queue", "rates.max_wait_s=20")
    async with (
        vendor(SCALE, enforce_rates=True) as upstream,
        running(upstream.origin, *sets, grant="jwt") as gateway,
    ):
        answers = await asyncio.gather(*(gateway.ask(request(HEAVY)) for _ in range(25)))
        report = upstream.control.report()
    assert Counter(status for status, _, _ in answers) == {200: 25}
    assert report["requests_in_penalty"] == 0


@pytest.mark.parametrize("retry_after", ["1", ""])
async def test_a_limit_without_the_vendors_fields_shuts_the_whole_upstream(
    retry_after: str,
) -> None:
    async with (
        vendor() as upstream,
        running(upstream.origin, *OWNED, grant="jwt") as gateway,
    ):
        upstream.control.fail(1, 429, retry_after, kind="api")
        upstream.control.tell_rates(told=False)
        assert (await gateway.ask(request(HEAVY)))[0] == 429
        status, head, _ = await gateway.ask(request("GET /restapi/v1.0/account/~ HTTP/1.1"))
        assert (status, values(head, b"x-gateway-error")) == (429, [b"rate-shield"])
        assert values(head, b"retry-after") == [retry_after.encode() or b"30"]
        assert gateway.records[-1].limited == "account"

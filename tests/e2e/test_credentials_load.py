"""One token for everybody: at the start, and when it dies in the middle of everything."""

import asyncio

from tests.e2e.vendor import ask_again_and_again, ask_at_once, owning, token_calls


async def test_500_requests_at_the_start_cost_one_token_call() -> None:
    async with owning() as (upstream, gateway):
        statuses = await ask_at_once(gateway, 500)
        assert token_calls(upstream) == {"jwt": {"200": 1}}
    assert statuses == [200] * 500


async def test_5000_requests_over_50_connections_outlive_three_expiries() -> None:
    async with owning() as (upstream, gateway):
        peers = await asyncio.gather(*(gateway.dial() for _ in range(50)))
        asking = [asyncio.create_task(ask_again_and_again(peer, 100)) for peer in peers]
        for number in (1000, 2000, 3000):
            await gateway.recorder.wait_for(number)
            upstream.control.expire()
        statuses = [status for answers in await asyncio.gather(*asking) for status in answers]
        assert token_calls(upstream) == {"jwt": {"200": 1}, "refresh_token": {"200": 3}}
        assert upstream.control.report()["sessions_made"] == 1
        for peer in peers:
            peer.close()
    assert statuses == [200] * 5000

"""The server under control: held calls, and a time of its own."""

import asyncio

import pytest
from aiohttp import ClientSession

from gateway.simulator import TOKEN, start

STORE = "/restapi/v1.0/account/~/extension/~/message-store"


async def test_closing_lets_go_what_is_held() -> None:
    running = await start()
    running.control.stall()
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(b"POST /restapi/oauth/token HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()
    async with ClientSession(running.origin) as session:
        while running.control.report()["held"] != 1:
            async with session.get("/restapi") as reply:
                assert reply.status == 200
    await asyncio.wait_for(running.close(), 1)
    assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
    writer.close()
    await writer.wait_closed()


async def test_a_time_scale_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        await start(time_scale=0)


async def test_an_injected_clock_and_a_time_scale_decide_the_window() -> None:
    now = [0.0]
    running = await start(clock=lambda: now[0], time_scale=60)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with ClientSession(running.origin, headers=headers) as session:
        left = []
        for now[0] in (0.0, 0.9, 1.0):
            async with session.get(STORE) as reply:
                left.append(reply.headers["X-Rate-Limit-Remaining"])
                assert reply.headers["X-Rate-Limit-Window"] == "1"
    await running.close()
    assert left == ["49", "48", "48"]

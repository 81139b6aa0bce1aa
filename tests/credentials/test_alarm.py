import asyncio

from gateway.credentials.alarm import Alarm


async def test_it_rings_once_at_what_was_set_last() -> None:
    loop = asyncio.get_running_loop()
    rung = asyncio.Event()
    alarm = Alarm(loop, rung.set)
    alarm.set(loop.time() + 1000)
    alarm.set(loop.time())
    await asyncio.wait_for(rung.wait(), 10)
    alarm.cancel()


async def test_what_is_cancelled_or_closed_does_not_ring() -> None:
    loop = asyncio.get_running_loop()
    rings: list[int] = []
    alarm = Alarm(loop, lambda: rings.append(1))
    alarm.set(loop.time())
    alarm.cancel()
    alarm.set(loop.time())
    alarm.close()
    alarm.set(loop.time())
    for _ in range(3):
        await asyncio.sleep(0)
    assert rings == []

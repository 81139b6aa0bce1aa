"""One look-up for all who wait; what was known outlives a look-up that brings nothing."""

import asyncio
import socket
from collections.abc import Callable

import pytest
from aiohappyeyeballs.types import AddrInfoType

from gateway.engine import addresses
from gateway.engine.addresses import Addresses

PATIENCE_S = 10.0
ONE: list[AddrInfoType] = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 443))]
TWO: list[AddrInfoType] = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.2", 443))]
NO_NAME = socket.gaierror(-3, "Temporary failure in name resolution")


class Resolver:
    """Holds every look-up until the test answers it; a clock that only the test turns."""

    def __init__(self) -> None:
        self.asked = 0
        self.now_s = 1000.0
        self._answers: asyncio.Queue[list[AddrInfoType] | OSError] = asyncio.Queue()

    def answer(self, answer: list[AddrInfoType] | OSError) -> None:
        """Let the look-up under way, or the next one, end so."""
        self._answers.put_nowait(answer)

    async def getaddrinfo(self, _host: str, _port: int, **_: int) -> list[AddrInfoType]:
        self.asked += 1
        answer = await self._answers.get()
        if isinstance(answer, OSError):
            raise answer
        return answer


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    return Resolver()


@pytest.fixture
async def name(resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> Addresses:
    loop = asyncio.get_running_loop()
    begin = loop.time()
    real: Callable[[], float] = loop.time
    monkeypatch.setattr(loop, "getaddrinfo", resolver.getaddrinfo)
    monkeypatch.setattr(loop, "time", lambda: real() - begin + resolver.now_s)
    return Addresses(loop, "api.example", 443)


async def known(name: Addresses, resolver: Resolver) -> None:
    """Let the name be looked up, and what was found grow old."""
    resolver.answer(ONE)
    assert await name.get() == ONE
    resolver.now_s += addresses.FRESH_S


async def test_all_who_wait_share_one_look_up(name: Addresses, resolver: Resolver) -> None:
    waiting = [asyncio.create_task(name.get()) for _ in range(100)]
    await asyncio.sleep(0)
    resolver.answer(ONE)
    assert await asyncio.gather(*waiting) == [ONE] * 100
    assert resolver.asked == 1


async def test_who_stops_waiting_stops_nobody_else(name: Addresses, resolver: Resolver) -> None:
    first, second = (asyncio.create_task(name.get()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    resolver.answer(ONE)
    assert await second == ONE
    assert resolver.asked == 1


async def test_a_failure_is_told_to_all_and_tried_again(
    name: Addresses, resolver: Resolver
) -> None:
    waiting = [asyncio.create_task(name.get()) for _ in range(3)]
    await asyncio.sleep(0)
    resolver.answer(NO_NAME)
    assert await asyncio.gather(*waiting, return_exceptions=True) == [NO_NAME] * 3
    resolver.answer(ONE)
    assert await name.get() == ONE
    assert resolver.asked == 2


async def test_a_failure_that_nobody_waits_for_is_not_told(
    name: Addresses, resolver: Resolver
) -> None:
    uncaught: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: uncaught.append(context))
    waiting = asyncio.create_task(name.get())
    await asyncio.sleep(0)
    waiting.cancel()
    resolver.answer(NO_NAME)
    await asyncio.gather(waiting, return_exceptions=True)
    resolver.answer(ONE)
    assert await name.get() == ONE
    assert uncaught == []


async def test_addresses_are_remembered_for_a_while(name: Addresses, resolver: Resolver) -> None:
    await known(name, resolver)
    resolver.now_s -= 1
    assert await name.get() == ONE
    resolver.now_s += 1
    resolver.answer(TWO)
    assert await name.get() == TWO
    assert resolver.asked == 2


async def test_what_was_known_serves_on_when_a_look_up_fails(
    name: Addresses, resolver: Resolver
) -> None:
    await known(name, resolver)
    resolver.answer(NO_NAME)
    assert await name.get() == ONE
    assert await name.get() == ONE
    assert resolver.asked == 2
    resolver.now_s += addresses.RETRY_S
    resolver.answer(TWO)
    assert await name.get() == TWO


async def test_what_was_known_serves_on_when_a_look_up_takes_long(
    name: Addresses, resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await known(name, resolver)
    monkeypatch.setattr(addresses, "PATIENCE_S", 0.01)
    assert await name.get() == ONE
    resolver.now_s += addresses.RETRY_S
    assert await name.get() == ONE
    # The one under way is not asked a second time, and what it brings counts.
    assert resolver.asked == 2
    monkeypatch.setattr(addresses, "PATIENCE_S", PATIENCE_S)
    resolver.now_s += addresses.RETRY_S
    resolver.answer(TWO)
    assert await name.get() == TWO
    assert resolver.asked == 2

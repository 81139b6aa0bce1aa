"""The end of a connection waits for the caller, but not for ever."""

import asyncio

import pytest

from gateway.engine import linger
from gateway.engine.linger import Linger


async def test_it_ends_when_the_caller_ends() -> None:
    lingering = Linger(asyncio.get_running_loop())
    waiting = asyncio.create_task(lingering.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    lingering.end()
    lingering.end()
    await waiting
    lingering.close()


async def test_a_caller_that_has_ended_is_not_waited_for() -> None:
    lingering = Linger(asyncio.get_running_loop())
    lingering.end()
    await lingering.wait()


async def test_silence_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linger, "LINGER_IDLE_S", 0.05)
    await Linger(asyncio.get_running_loop()).wait()


async def test_a_caller_that_never_stops_is_not_heard_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linger, "LINGER_MOST_S", 0.05)
    loop = asyncio.get_running_loop()
    lingering = Linger(loop)
    waiting = asyncio.create_task(lingering.wait())
    while not waiting.done():
        lingering.go_on()
        await asyncio.wait({waiting}, timeout=0.01)


async def test_what_is_sent_before_the_end_starts_nothing() -> None:
    lingering = Linger(asyncio.get_running_loop())
    lingering.go_on()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    lingering.close()

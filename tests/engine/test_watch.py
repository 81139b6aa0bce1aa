"""A timer that is moved often fires once, in time, and leaves nothing behind."""

import asyncio

import pytest

from gateway.engine.watch import Watch


@pytest.fixture
def fired() -> list[str]:
    return []


async def wait(seconds: float) -> None:
    await asyncio.wait({asyncio.get_running_loop().create_future()}, timeout=seconds)


async def test_it_fires_once_when_the_deadline_passes(fired: list[str]) -> None:
    loop = asyncio.get_running_loop()
    watch = Watch(loop)
    watch.set(loop.time() + 0.01, lambda: fired.append("a"))
    assert watch.is_set
    await wait(0.05)
    assert fired == ["a"]
    assert not watch.is_set


async def test_a_later_deadline_replaces_an_earlier_one(fired: list[str]) -> None:
    loop = asyncio.get_running_loop()
    watch = Watch(loop)
    watch.set(loop.time() + 0.01, lambda: fired.append("early"))
    watch.set(loop.time() + 0.06, lambda: fired.append("late"))
    await wait(0.03)
    assert fired == []
    await wait(0.08)
    assert fired == ["late"]


async def test_an_earlier_deadline_replaces_a_later_one(fired: list[str]) -> None:
    loop = asyncio.get_running_loop()
    watch = Watch(loop)
    watch.set(loop.time() + 60, lambda: fired.append("late"))
    watch.set(loop.time() + 0.01, lambda: fired.append("early"))
    await wait(0.05)
    assert fired == ["early"]
    watch.close()


async def test_what_is_cleared_or_closed_does_not_fire(fired: list[str]) -> None:
    loop = asyncio.get_running_loop()
    cleared, closed = Watch(loop), Watch(loop)
    for watch in (cleared, closed):
        watch.set(loop.time() + 0.01, lambda: fired.append("a"))
    cleared.clear()
    closed.close()
    closed.close()
    await wait(0.03)
    assert fired == []


async def test_it_may_be_set_again_from_its_own_callback(fired: list[str]) -> None:
    loop = asyncio.get_running_loop()
    watch = Watch(loop)

    def again() -> None:
        fired.append("a")
        if len(fired) < 3:
            watch.set(loop.time() + 0.005, again)

    again()
    await wait(0.06)
    assert fired == ["a", "a", "a"]

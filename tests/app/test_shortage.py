"""gateway/app/shortage.py."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.app import shortage
from gateway.app.shortage import Shortage


@contextmanager
def nothing_left() -> Iterator[None]:
    """Let this process open nothing more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_it_is_said_while_it_lasts_and_then_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortage, "EVERY_S", 0.01)
    said: list[str] = []
    told = asyncio.Event()

    def say(text: str) -> None:
        said.append(text)
        if len(said) == 3:
            told.set()

    with nothing_left():
        Shortage(say).watch()
        await asyncio.wait_for(told.wait(), 10)
    assert "no file descriptor is left" in said[0]
    count = len(said)
    await asyncio.sleep(0.05)
    assert len(said) == count


def test_it_is_looked_for_once_in_a_second() -> None:
    assert shortage.EVERY_S == 1.0

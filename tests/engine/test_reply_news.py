"""gateway/engine/reply_news.py: who is told, once, and of what."""

import asyncio
import re

import pytest

from gateway.engine.reply_news import NO_REPLY, ReplyNews
from gateway.errors import UpstreamBroken, UpstreamTimeout
from tests.engine.linked import soon


def news_of() -> ReplyNews:
    return ReplyNews(asyncio.get_running_loop())


async def test_who_expects_news_is_called_once() -> None:
    news, calls = news_of(), list[int]()
    news.expect(soon(), lambda: calls.append(1))
    news._wake()
    news._wake()
    assert calls == [1]


async def test_who_expects_news_of_what_failed_is_called_in_the_next_turn() -> None:
    news, calls = news_of(), list[int]()
    news.fail(UpstreamBroken("cut"))
    news.expect(soon(), lambda: calls.append(1))
    assert not calls
    await asyncio.sleep(0)
    assert calls == [1]


async def test_no_news_by_the_deadline_is_a_failure() -> None:
    news, told = news_of(), asyncio.Event()
    news.expect(soon(0.01), told.set)
    await told.wait()
    with pytest.raises(UpstreamTimeout, match=re.escape(NO_REPLY)):
        await news._woken()


async def test_the_first_failure_is_what_everybody_gets() -> None:
    news = news_of()
    waiting = asyncio.create_task(news._wait(soon(), "late"))
    await asyncio.sleep(0)
    news.fail(UpstreamBroken("first"))
    news.fail(UpstreamBroken("second"))
    # It was woken, and finds out when it waits again.
    await waiting
    for _ in range(2):
        with pytest.raises(UpstreamBroken, match="first"):
            await news._wait(soon(), "late")


async def test_who_waits_is_told_and_not_who_expected_before() -> None:
    news, calls = news_of(), list[int]()
    news.expect(soon(), lambda: calls.append(1))
    waiting = asyncio.create_task(news._wait(soon(0.01), "nothing in 10 ms"))
    await waiting
    with pytest.raises(UpstreamTimeout, match="nothing in 10 ms"):
        await news._woken()
    assert not calls


async def test_nobody_is_told_of_what_is_to_be_forgotten() -> None:
    news, calls = news_of(), list[int]()
    news.expect(soon(0.01), lambda: calls.append(1))
    news._forget_all()
    news._wake()
    await asyncio.sleep(0.03)
    assert not calls

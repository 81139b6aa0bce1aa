"""The scripts themselves, where the clock of Redis cannot be turned: on values put there."""

import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from gateway.stores.redis_scripts import ENTER, SPEND, TAKE_BACK
from tests.redis_server import RedisServer

WINDOW_US = 60_000_000


@pytest.fixture
async def plain(shared_redis: RedisServer) -> AsyncIterator[Redis]:
    async with Redis(port=shared_redis.address.port, decode_responses=True) as redis:
        yield redis


async def spend(plain: Redis, key: str, limit: int) -> int:
    wait_us = await plain.register_script(SPEND)([key], [limit, WINDOW_US])
    assert isinstance(wait_us, int)
    return wait_us


async def test_times_are_kept_to_the_microsecond(plain: Redis, redis_prefix: str) -> None:
    before = time.time_ns() // 1000
    assert await spend(plain, redis_prefix, 1) == 0
    (kept,) = await plain.lrange(redis_prefix, 0, -1)
    assert before <= int(kept) <= time.time_ns() // 1000


async def test_the_wait_is_exact(plain: Redis, redis_prefix: str) -> None:
    spent = time.time_ns() // 1000 - 20_000_000
    await plain.rpush(redis_prefix, str(spent))
    before = time.time_ns() // 1000
    wait_us = await spend(plain, redis_prefix, 1)
    assert before <= spent + WINDOW_US - wait_us <= time.time_ns() // 1000
    assert await plain.lrange(redis_prefix, 0, -1) == [str(spent)]


async def test_what_left_the_window_is_forgotten(plain: Redis, redis_prefix: str) -> None:
    await plain.rpush(redis_prefix, str(time.time_ns() // 1000 - WINDOW_US))
    assert await spend(plain, redis_prefix, 1) == 0
    assert await plain.llen(redis_prefix) == 1


async def test_a_clock_that_was_set_back_costs_one_window_at_most(
    plain: Redis, redis_prefix: str
) -> None:
    ahead = time.time_ns() // 1000 + 3600 * 1_000_000
    await plain.rpush(redis_prefix, *[str(ahead + offset) for offset in range(5)])
    assert await spend(plain, redis_prefix, 5) == WINDOW_US
    # They count from then on, and not anew each time somebody asks.
    assert 0 < await spend(plain, redis_prefix, 5) < WINDOW_US


async def test_who_enters_is_told_the_time_that_is_kept_and_gives_back_that_one(
    plain: Redis, redis_prefix: str
) -> None:
    now = time.time_ns() // 1000
    others = [str(now - 20_000_000), str(now - 10_000_000), str(now - 10_000_000)]
    await plain.rpush(redis_prefix, *others)
    spent = await plain.register_script(ENTER)([redis_prefix], [9, WINDOW_US])
    assert await plain.lrange(redis_prefix, 0, -1) == [*others, str(-spent)]
    take_back = plain.register_script(TAKE_BACK)
    assert await take_back([redis_prefix], [-spent]) == 1
    assert await plain.lrange(redis_prefix, 0, -1) == others
    assert await take_back([redis_prefix], [-spent]) == 0
    # Of those that are alike one goes, and the oldest stays the oldest.
    assert await take_back([redis_prefix], [others[2]]) == 1
    assert await plain.lrange(redis_prefix, 0, -1) == others[:2]


async def test_a_limit_that_was_lowered_waits_until_fewer_than_it_are_left(
    plain: Redis, redis_prefix: str
) -> None:
    now = time.time_ns() // 1000
    await plain.rpush(redis_prefix, *[str(now - age * 1_000_000) for age in (50, 40, 30, 20, 10)])
    # Two may be spent in a window: the fourth must leave it first.
    wait_us = await spend(plain, redis_prefix, 2)
    assert 30 * 1_000_000 < wait_us <= 40 * 1_000_000

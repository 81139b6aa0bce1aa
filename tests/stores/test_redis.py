"""What only the store in Redis does: to be down and come back, and to lose its data."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.stores.redis import MOST_CONNECTIONS, RedisStore
from gateway.stores.store import Entry, Lease, Store, StoreDown
from gateway.stores.waiting import wait_until
from tests.redis_server import RedisServer
from tests.stores.scripted_redis import scripted
from tests.stores.telling import Told

KEY = "token:ringcentral"
SOON_S = 20.0


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """Return a Redis that the test may do anything to."""
    with RedisServer(tmp_path) as server:
        yield server


@pytest.fixture
async def store(redis: RedisServer, told: Told) -> AsyncIterator[RedisStore]:
    made = RedisStore(redis.address, told, lease_s=60.0, timeout_s=SOON_S, retry_s=0.02)
    yield made
    await made.close()


async def take(store: Store, floor: int = 0) -> Lease:
    lease = await store.lease(KEY, floor=floor)
    assert lease is not None
    return lease


async def test_a_redis_that_went_is_told_once_and_so_is_its_return(
    redis: RedisServer, store: RedisStore, told: Told
) -> None:
    assert await store.read(KEY) is None
    redis.stop()
    for _ in range(3):
        with pytest.raises(StoreDown, match="cannot be reached"):
            await store.read(KEY)
    reason = f"redis at {redis.address} cannot be reached, or broke off"
    assert store.trouble == reason
    redis.start()
    assert await told.until(2) == [f"down: {reason}", "back"]
    assert store.trouble is None
    assert await store.read(KEY) is None


async def test_a_redis_that_stands_still_is_down_until_it_goes_on(
    redis: RedisServer, told: Told
) -> None:
    # What a loaded machine needs for an answer, and a test can wait for.
    store = RedisStore(redis.address, told, timeout_s=2.0, retry_s=0.02)
    lease = await take(store)
    assert await lease.write(b"token")
    redis.pause()
    with pytest.raises(StoreDown, match="did not answer in time"):
        await store.read(KEY)
    redis.resume()
    assert (await told.until(2))[1] == "back"
    assert await store.read(KEY) == Entry(lease.fence, b"token")
    await store.close()


async def test_while_it_is_down_nobody_dials_but_the_probe(told: Told) -> None:
    async with scripted(b"") as (address, script):
        store = RedisStore(address, told, retry_s=3600)
        for _ in range(50):
            with pytest.raises(StoreDown):
                await store.spend("auth:app", 5, 60.0)
        assert script.connections == 1
        await store.close()
    assert len(told.lines) == 1


async def test_what_many_find_out_at_once_is_told_once(told: Told) -> None:
    async with scripted(b"") as (address, _):
        store = RedisStore(address, told, retry_s=3600)
        asked = await asyncio.gather(*(store.read(KEY) for _ in range(9)), return_exceptions=True)
        assert [type(answer) for answer in asked] == [StoreDown] * 9
        await store.close()
    assert len(told.lines) == 1


async def test_nothing_is_tried_twice(told: Told) -> None:
    async with scripted(b"-LOADING Redis is loading\r\n") as (address, script):
        store = RedisStore(address, told, retry_s=3600)
        with pytest.raises(StoreDown):
            await take(store)
        assert script.connections == 1
        await store.close()


async def test_the_last_reason_is_the_one_that_is_shown(told: Told) -> None:
    async with scripted(b"") as (address, script):
        store = RedisStore(address, told, retry_s=0.01)
        with pytest.raises(StoreDown, match="broke off"):
            await store.read(KEY)
        script.reply = b"-LOADING Redis is loading\r\n"

        async def is_loading() -> bool:
            return "is loading" in str(store.trouble)

        assert await wait_until(is_loading, SOON_S, 0.01)
        await store.close()
    assert told.lines == [f"down: redis at {address} cannot be reached, or broke off"]


@pytest.mark.parametrize("reply", [b"-LOADING Redis is loading\r\n", b"*2\r\n$-1\r\n$-1\r\n"])
async def test_a_cancellation_ends_a_question_wherever_it_comes(told: Told, reply: bytes) -> None:
    async with scripted(reply) as (address, _):
        is_cut, steps = True, 0
        while is_cut:
            steps += 1
            store = RedisStore(address, told)
            question = asyncio.create_task(store.read(KEY))
            for _ in range(steps):
                await asyncio.sleep(0)
            is_cut = question.cancel()
            await asyncio.wait([question])
            assert question.cancelled() is is_cut
            assert is_cut is (store.trouble is None) or reply.startswith(b"*")
            await store.close()
    assert steps > 5


async def test_a_store_is_closed_while_it_looks_whether_redis_is_back(told: Told) -> None:
    async with scripted(b"-LOADING Redis is loading\r\n") as (address, script):
        for steps in range(40):
            store = RedisStore(address, told, retry_s=0)
            with pytest.raises(StoreDown):
                await store.read(KEY)
            for _ in range(steps):
                await asyncio.sleep(0)
            await store.close()
        assert script.connections > 40


async def test_a_redis_that_lost_its_data_does_not_count_backwards(
    redis: RedisServer, store: RedisStore, told: Told
) -> None:
    lease = await take(store, floor=41)
    assert await lease.write(b"old")
    redis.stop()
    with pytest.raises(StoreDown):
        await store.read(KEY)
    redis.start()
    await told.until(2)
    assert await store.read(KEY) is None
    again = await take(store, floor=lease.fence)
    assert again.fence == lease.fence + 1
    assert await again.write(b"new")
    assert not await lease.write(b"older")
    await lease.release()
    assert await store.lease(KEY) is None
    assert await store.read(KEY) == Entry(again.fence, b"new")


async def test_a_lease_that_redis_lost_is_lost(redis: RedisServer, told: Told) -> None:
    store = RedisStore(redis.address, told, lease_s=0.3, timeout_s=SOON_S, retry_s=0.02)
    lease = await take(store)
    redis.stop()
    redis.start()

    async def is_lost() -> bool:
        return lease.is_lost

    assert await wait_until(is_lost, SOON_S, 0.01)
    await store.close()


async def test_an_asker_that_goes_leaves_no_answer_to_the_next_one(
    redis: RedisServer, told: Told
) -> None:
    store = RedisStore(redis.address, told, timeout_s=SOON_S)
    assert await store.spend("auth:app", 5, 60.0) == 0.0
    redis.pause()
    asking = [asyncio.ensure_future(store.spend("auth:app", 5, 60.0)) for _ in range(3)]
    for _ in range(50):
        # Each has said what it has to say by then.
        await asyncio.sleep(0)
    for ask in asking:
        ask.cancel()
    await asyncio.wait(asking)
    redis.resume()
    assert await store.read(KEY) is None
    lease = await take(store)
    assert await lease.write(b"token")
    assert await store.read(KEY) == Entry(lease.fence, b"token")
    await store.close()
    assert told.lines == []


async def test_names_have_the_prefix_and_all_but_tokens_run_out(
    redis: RedisServer, told: Told
) -> None:
    from redis.asyncio import Redis

    store = RedisStore(redis.address, told, prefix="corp:", lease_s=60.0)
    lease = await take(store)
    await lease.write(b"token")
    await store.spend("auth:app", 5, 60.0)
    await store.shut("rate:app/@platform", 60.0)
    limit = await store.lease("limit:app/heavy")
    assert limit is not None
    await limit.write(b"limit")
    await store.keep("limit:app/heavy", 60.0)
    await limit.write(b"limit that is written meanwhile")
    await limit.release()
    plain = Redis(port=redis.address.port)
    left_ms = {key: await plain.pttl(key) for key in await plain.keys("*")}
    assert left_ms.pop(f"corp:{{{KEY}}}".encode()) == -1
    assert set(left_ms) == {
        f"corp:{{{KEY}}}:lease".encode(),
        b"corp:{auth:app}:spent",
        b"corp:{limit:app}/heavy",
        # In the slot of all else that is asked about with it.
        b"corp:{rate:app}/@platform:shut",
    }
    assert all(0 < left <= 60_000 for left in left_ms.values())
    await plain.aclose()
    await store.close()


async def test_a_closed_store_may_be_closed_while_redis_is_down(
    redis: RedisServer, told: Told
) -> None:
    store = RedisStore(redis.address, told)
    await take(store)
    redis.stop()
    await store.close()
    assert len(told.lines) == 1


async def test_a_redis_that_is_too_slow_for_as_many_as_ask_is_down_in_time(told: Told) -> None:
    clock = asyncio.get_running_loop().time
    async with scripted(b":0\r\n") as (address, script):
        # Each answer is in time, but not each place.
        script.delay_s = 1.5
        store = RedisStore(address, told, timeout_s=2.0, retry_s=3600)
        began = clock()
        asked = (store.spend("rate:x", 9, 60.0) for _ in range(4 * MOST_CONNECTIONS))
        waits = await asyncio.gather(*asked, return_exceptions=True)
        took_s = clock() - began
        await store.close()
    assert [type(wait) for wait in waits].count(StoreDown) >= 2 * MOST_CONNECTIONS
    # Without a bound the last have their answers after four times the delay.
    assert took_s < 4.0
    assert told.lines == [f"down: redis at {address} did not answer in time"]


async def test_more_askers_than_connections_wait_their_turn(store: RedisStore, told: Told) -> None:
    waits = await asyncio.gather(*(store.spend("rate:x", 300, 60.0) for _ in range(400)))
    assert sorted(waits)[:300] == [0.0] * 300
    assert all(0 < wait_s <= 60 for wait_s in sorted(waits)[300:])
    assert store.trouble is None
    assert told.lines == []

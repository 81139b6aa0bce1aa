"""Several processes over one place: one holds, none overwrites, all share a budget."""

import asyncio
import signal
from contextlib import AsyncExitStack
from typing import Any

import pytest

from gateway.stores.store import Entry, Lease, Store
from tests.stores.holder import KEY, LONG_S, store_at
from tests.stores.processes import holder

Place = dict[str, Any]

# Some renewals fit in, and a test can wait for it.
SHORT = {"lease_s": 1.0}


async def take_in_turn(store: Store) -> Lease:
    """Take the lease when its holder has lost it."""
    while (lease := await store.lease(KEY)) is None:
        assert await store.changed(KEY, 0, LONG_S)
    return lease


async def test_none_of_many_writers_is_lost(shared_place: Place) -> None:
    async with AsyncExitStack() as stack:
        many = [await stack.enter_async_context(holder(shared_place)) for _ in range(4)]
        answers = await asyncio.gather(*(process.ask("count 10") for process in many))
    fences = [fence for answer in answers for fence in answer]
    assert len(set(fences)) == 40
    store = store_at(shared_place)
    assert await store.read(KEY) == Entry(max(fences), b"40")
    await store.close()


async def test_processes_share_a_budget(shared_place: Place) -> None:
    async with AsyncExitStack() as stack:
        many = [await stack.enter_async_context(holder(shared_place)) for _ in range(3)]
        answers = await asyncio.gather(*(process.ask("spend 5") for process in many))
    assert sum(answers) == 5


async def test_a_holder_that_was_stopped_cannot_write_over_a_newer_entry(
    shared_place: Place,
) -> None:
    place = shared_place | SHORT
    store = store_at(place)
    async with holder(place) as paused:
        fence = await paused.ask("lease")
        paused.process.send_signal(signal.SIGSTOP)
        lease = await take_in_turn(store)
        assert lease.fence > fence
        assert await lease.write(b"new")
        paused.process.send_signal(signal.SIGCONT)
        assert await paused.ask("lost") is True
        assert await paused.ask("write old") is False
        assert await store.read(KEY) == Entry(lease.fence, b"new")
        await lease.release()
    await store.close()


@pytest.mark.parametrize("shared_place", ["file", "redis"], indirect=True)
async def test_a_lease_is_kept_for_longer_than_its_time(shared_place: Place) -> None:
    # A process of a loaded machine may stand still for a second or two.
    place = shared_place | {"lease_s": 3.0}
    store = store_at(place)
    async with holder(place) as other:
        await other.ask("lease")
        assert not await store.changed(KEY, 0, 1.2 * place["lease_s"])
        assert await other.ask("lost") is False
    await store.close()


async def test_the_lease_of_a_holder_that_was_killed_is_free(shared_place: Place) -> None:
    # With a file at once, the kernel sees to it; with Redis when its time is over.
    file = "file" in shared_place
    place = shared_place if file else shared_place | SHORT
    store = store_at(place)
    async with holder(place) as killed:
        fence = await killed.ask("lease")
        killed.process.kill()
        await killed.process.wait()
        lease = await store.lease(KEY) if file else await take_in_turn(store)
        assert lease is not None
        assert lease.fence > fence
    await store.close()

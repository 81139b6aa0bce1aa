"""What every store promises, held against each kind of it."""

import asyncio

from gateway.stores.store import Bar, Entry, Lease, Receipt, Store
from gateway.stores.waiting import wait_until

KEY = "token:ringcentral"
PLACE = "rate:app/heavy"
SOON_S = 20.0


async def take(store: Store, key: str = KEY, floor: int = 0) -> Lease:
    lease = await store.lease(key, floor=floor)
    assert lease is not None
    return lease


async def test_what_was_never_written_is_absent(store: Store) -> None:
    assert await store.read(KEY) is None


async def test_what_was_written_is_read_under_its_fence(store: Store) -> None:
    lease = await take(store)
    assert lease.fence > 0
    assert await lease.write(b"\x00one\xff")
    assert await store.read(KEY) == Entry(lease.fence, b"\x00one\xff")
    assert await store.read("another") is None
    await lease.release()
    assert await store.read(KEY) == Entry(lease.fence, b"\x00one\xff")


async def test_what_is_to_be_kept_for_a_while_is_forgotten_then_and_nothing_else(
    store: Store, other: Store
) -> None:
    async def is_gone() -> bool:
        return await store.read("limit:app/heavy") is None

    for key in (KEY, "limit:app/heavy", "limit:app/light"):
        lease = await take(store, key)
        assert await lease.write(b"1")
        await lease.release()
        assert key == KEY or await store.keep(key, 60.0)
    # The last word counts.
    assert await other.keep("limit:app/heavy", 0.05)
    assert await wait_until(is_gone, SOON_S, 0.01)
    assert await other.read(KEY) is not None
    assert await other.read("limit:app/light") is not None
    assert not await store.keep("limit:app/heavy", 60.0)
    # What comes after it is an entry as any other.
    assert await (await take(store, "limit:app/heavy")).write(b"2")
    assert await other.read("limit:app/heavy") is not None


async def test_a_lease_under_which_nothing_was_written_leaves_nothing_to_keep(store: Store) -> None:
    await take(store)
    assert not await store.keep(KEY, 60.0)


async def test_a_lease_is_held_by_one(store: Store) -> None:
    lease = await take(store)
    assert await store.lease(KEY) is None
    await lease.release()
    assert (await take(store)).fence > lease.fence


async def test_one_of_many_at_once_gets_the_lease(store: Store) -> None:
    leases = await asyncio.gather(*(store.lease(KEY) for _ in range(20)))
    assert len([lease for lease in leases if lease is not None]) == 1


async def test_leases_on_different_keys_do_not_disturb_each_other(store: Store) -> None:
    one = await take(store, "one")
    two = await take(store, "two")
    assert await one.write(b"1")
    assert await two.write(b"2")
    await one.release()
    assert await store.lease("two") is None


async def test_a_release_may_be_repeated_and_does_not_end_the_next_lease(store: Store) -> None:
    first = await take(store)
    await first.release()
    await first.release()
    await take(store)
    await first.release()
    assert await store.lease(KEY) is None


async def test_an_old_holder_cannot_write_over_a_newer_entry(store: Store) -> None:
    old = await take(store)
    await old.release()
    new = await take(store)
    assert await new.write(b"new")
    assert not await old.write(b"old")
    assert await store.read(KEY) == Entry(new.fence, b"new")


async def test_a_value_of_the_last_holder_is_kept_until_the_next_one_writes(store: Store) -> None:
    old = await take(store)
    await old.release()
    new = await take(store)
    assert await old.write(b"late")
    assert await store.read(KEY) == Entry(old.fence, b"late")
    assert await new.write(b"new")
    assert await store.read(KEY) == Entry(new.fence, b"new")


async def test_a_fence_is_above_all_that_the_asker_knows(store: Store) -> None:
    lease = await take(store, floor=41)
    assert lease.fence == 42
    await lease.release()
    assert (await take(store, floor=7)).fence > 42


async def test_a_lease_that_is_held_is_not_lost(store: Store) -> None:
    assert not (await take(store)).is_lost


async def test_nothing_is_waited_for_when_nobody_holds_the_lease(store: Store) -> None:
    assert await store.changed(KEY, 0, SOON_S)


async def test_nothing_is_waited_for_when_a_newer_entry_is_there(store: Store) -> None:
    lease = await take(store)
    await lease.write(b"1")
    assert await store.changed(KEY, lease.fence - 1, SOON_S)


async def test_a_wait_ends_with_a_write(store: Store) -> None:
    lease = await take(store)
    waiting = asyncio.ensure_future(store.changed(KEY, 0, SOON_S))
    await asyncio.sleep(0)
    await lease.write(b"1")
    assert await waiting


async def test_a_wait_ends_with_a_release(store: Store) -> None:
    lease = await take(store)
    await lease.write(b"1")
    waiting = asyncio.ensure_future(store.changed(KEY, lease.fence, SOON_S))
    await asyncio.sleep(0)
    await lease.release()
    assert await waiting


async def test_a_wait_ends_in_time_when_nothing_happens(store: Store) -> None:
    lease = await take(store)
    await lease.write(b"1")
    assert not await store.changed(KEY, lease.fence, 0.01)


async def test_a_budget_gives_its_limit_to_many_at_once(store: Store) -> None:
    waits = await asyncio.gather(*(store.spend("auth:app", 5, 60.0) for _ in range(20)))
    assert len([wait for wait in waits if wait == 0.0]) == 5
    assert all(59 < wait <= 60 for wait in waits if wait != 0.0)


async def test_budgets_of_different_names_are_apart(store: Store) -> None:
    assert await store.spend("auth:one", 1, 60.0) == 0.0
    assert await store.spend("auth:two", 1, 60.0) == 0.0
    assert await store.spend("auth:one", 1, 60.0) > 0.0


async def test_nothing_is_spent_behind_a_door_that_is_shut(store: Store) -> None:
    doors = ("rate:app/heavy", "rate:app/@platform")
    assert isinstance(await store.enter(doors, "rate:app/heavy", 1, 60.0), Receipt)
    await store.shut(doors[1], 30.0)
    bar = await store.enter(doors, "rate:app/light", 1, 60.0)
    assert isinstance(bar, Bar)
    assert bar.door == doors[1]
    assert 29 < bar.wait_s <= 30.001
    await enter(store, "rate:app/light", 1)
    full = await store.enter(doors[:1], "rate:app/light", 1, 60.0)
    assert isinstance(full, Bar)
    assert full.door == ""
    assert 59 < full.wait_s <= 60


async def enter(store: Store, key: str, limit: int) -> Receipt:
    receipt = await store.enter((), key, limit, 60.0)
    assert isinstance(receipt, Receipt)
    return receipt


async def test_what_is_taken_back_is_free_again_for_all(store: Store, other: Store) -> None:
    first, second = [await enter(store, PLACE, 2) for _ in range(2)]
    assert isinstance(await other.enter((), PLACE, 2, 60.0), Bar)
    await other.take_back(first)
    third = await enter(store, PLACE, 2)
    assert isinstance(await store.enter((), PLACE, 2, 60.0), Bar)
    await store.take_back(second)
    await store.take_back(third)
    assert await other.spend(PLACE, 2, 60.0) == 0.0
    assert await other.spend(PLACE, 2, 60.0) == 0.0


async def test_nothing_else_is_taken_back_with_it_nor_a_second_time(store: Store) -> None:
    receipts = [await enter(store, PLACE, 9) for _ in range(5)]
    # The wait that is left is that of the oldest that still counts.
    wait_s = await store.spend(PLACE, 5, 60.0)
    await store.take_back(receipts[3])
    await store.take_back(receipts[3])
    await store.take_back(Receipt("rate:app/other", receipts[2].at))
    assert 0.0 < await store.spend(PLACE, 4, 60.0) <= wait_s
    assert await store.spend(PLACE, 5, 60.0) == 0.0
    assert await store.spend(PLACE, 5, 60.0) > 0.0


async def test_of_all_that_is_known_of_a_door_the_last_end_counts(
    store: Store, other: Store
) -> None:
    async def longest() -> Bar:
        bar = await store.enter(("rate:app/a", "rate:app/b"), "rate:app/a", 9, 60.0)
        assert isinstance(bar, Bar)
        return bar

    await other.shut("rate:app/a", 40.0)
    await store.shut("rate:app/a", 20.0)
    assert 39 < (await longest()).wait_s <= 40.001
    await store.shut("rate:app/b", 50.0)
    assert (await longest()).door == "rate:app/b"
    await other.shut("rate:app/a", 60.0)
    assert (await longest()).door == "rate:app/a"


async def test_a_door_opens_by_itself(store: Store) -> None:
    async def is_open() -> bool:
        entered = await store.enter(("rate:app/a",), "rate:app/a", 1, 60.0)
        return isinstance(entered, Receipt)

    await store.shut("rate:app/a", 0.05)
    assert await wait_until(is_open, SOON_S, 0.01)


async def test_two_stores_over_one_place_have_the_same_entries(store: Store, other: Store) -> None:
    lease = await take(store)
    assert await other.lease(KEY) is None
    assert await lease.write(b"1")
    assert await other.read(KEY) == Entry(lease.fence, b"1")
    await lease.release()
    assert (await take(other)).fence == lease.fence + 1


async def test_two_stores_over_one_place_wait_for_each_other(store: Store, other: Store) -> None:
    lease = await take(store)
    waiting = asyncio.ensure_future(other.changed(KEY, 0, SOON_S))
    assert not await other.changed(KEY, 0, 0.01)
    assert await lease.write(b"1")
    assert await waiting


async def test_two_stores_over_one_place_share_a_budget(store: Store, other: Store) -> None:
    waits = await asyncio.gather(
        *(one.spend("auth:app", 5, 60.0) for one in (store, other) for _ in range(10))
    )
    assert waits.count(0.0) == 5


async def test_a_lease_that_nobody_waits_for_any_more_is_given_back(
    store: Store, other: Store
) -> None:
    taking = asyncio.ensure_future(store.lease(KEY))
    await asyncio.sleep(0)
    taking.cancel()
    await asyncio.wait([taking])
    if not taking.cancelled():
        # It was there before the asker went.
        lease = taking.result()
        assert lease is not None
        await lease.release()
    assert await other.changed(KEY, 0, SOON_S)


async def test_a_closed_store_has_released_what_it_held(store: Store, other: Store) -> None:
    await take(store)
    await store.close()
    assert await other.lease(KEY) is not None


async def test_whoever_releases_may_be_cancelled(store: Store, other: Store) -> None:
    lease = await take(store)
    releasing = asyncio.ensure_future(lease.release())
    await asyncio.sleep(0)
    releasing.cancel()
    await asyncio.wait([releasing])
    assert await other.changed(KEY, 0, SOON_S)

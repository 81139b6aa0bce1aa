"""Keeping a lease alive: renewed in time, lost for good, and given back."""

import asyncio

import pytest

from gateway.stores.leases import HeldLease, Leases
from gateway.stores.store import StoreDown
from gateway.stores.waiting import wait_until

LONG_S = 3600.0
PATIENCE_S = 20


class FakeGrip:
    """Answers each renewal by what `renewals` says next; "down" when it says nothing more."""

    fence = 7

    def __init__(self, *renewals: bool) -> None:
        self._renewals = list(renewals)
        self.asked = 0
        self.freed = 0
        self.waiting = asyncio.Event()

    async def renew(self) -> bool:
        self.asked += 1
        if not self._renewals:
            self.waiting.set()
            raise StoreDown("down")
        return self._renewals.pop(0)

    async def write(self, value: bytes) -> bool:
        return value == b"good"

    async def free(self) -> None:
        self.freed += 1
        raise StoreDown("down")


async def hold(leases: Leases, grip: FakeGrip) -> HeldLease:
    async def grasp() -> FakeGrip:
        return grip

    lease = await leases.take(grasp)
    assert lease is not None
    return lease


async def until_lost(lease: HeldLease) -> None:
    async def is_lost() -> bool:
        return lease.is_lost

    assert await wait_until(is_lost, PATIENCE_S, 0.01)


async def test_a_lease_has_the_fence_of_its_grip_and_writes_through_it() -> None:
    lease = await hold(Leases(LONG_S), FakeGrip())
    assert lease.fence == 7
    assert await lease.write(b"good")
    assert not await lease.write(b"bad")
    await lease.release()


async def test_it_is_renewed_until_another_one_has_it() -> None:
    grip = FakeGrip(True, True, True, False)
    lease = await hold(Leases(0.05), grip)
    await until_lost(lease)
    # A loaded machine may be late; then it is lost before it is asked so often.
    assert grip.asked <= 4
    assert await lease.write(b"good")
    await lease.release()


async def test_a_lease_that_cannot_be_renewed_in_time_is_lost_and_stays_so() -> None:
    grip = FakeGrip()
    lease = await hold(Leases(0.05), grip)
    await asyncio.wait_for(grip.waiting.wait(), PATIENCE_S)
    await until_lost(lease)
    grip._renewals = [True] * 100
    await asyncio.sleep(0.05)
    assert lease.is_lost
    await lease.release()


async def test_a_holder_that_stood_still_knows_at_once() -> None:
    lease = HeldLease(FakeGrip(), 60.0, asyncio.get_running_loop().time() - 61.0, lambda _: None)
    assert lease.is_lost
    await lease.release()


async def test_a_release_is_done_once_and_never_raises() -> None:
    grip = FakeGrip()
    leases = Leases(LONG_S)
    lease = await hold(leases, grip)
    await asyncio.gather(lease.release(), lease.release())
    await leases.release()
    assert grip.freed == 1


async def test_what_the_asker_does_not_wait_for_is_given_back() -> None:
    grip = FakeGrip()
    may_answer = asyncio.Event()

    async def grasp() -> FakeGrip:
        await may_answer.wait()
        return grip

    leases = Leases(LONG_S)
    taking = asyncio.ensure_future(leases.take(grasp))
    await asyncio.sleep(0)
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    may_answer.set()
    await leases.release()
    assert grip.freed == 1


async def test_what_an_asker_that_went_did_not_get_needs_no_giving_back() -> None:
    async def refuse() -> None:
        return None

    leases = Leases(LONG_S)
    taking = asyncio.ensure_future(leases.take(refuse))
    await asyncio.sleep(0)
    taking.cancel()
    await asyncio.wait([taking])
    await leases.release()


async def test_what_is_refused_or_fails_is_held_by_nobody() -> None:
    async def refuse() -> None:
        return None

    async def fail() -> None:
        raise StoreDown("down")

    leases = Leases(LONG_S)
    assert await leases.take(refuse) is None
    with pytest.raises(StoreDown):
        await leases.take(fail)
    await leases.release()

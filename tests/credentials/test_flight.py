import asyncio

import pytest

from gateway.credentials.flight import Flight
from tests.eventually import eventually


class Plane:
    """What flies: it counts, and lands when it may."""

    def __init__(self) -> None:
        self.flights = 0
        self.landed = 0
        self.may_land = asyncio.Event()
        self.flight = Flight(self._fly)

    async def _fly(self) -> None:
        self.flights += 1
        await self.may_land.wait()
        self.landed += 1

    async def wait(self, within_s: float = 10.0) -> None:
        await self.flight.landed(asyncio.get_running_loop().time() + within_s)


async def test_all_who_wait_at_once_wait_for_one() -> None:
    plane = Plane()
    assert not plane.flight.is_under_way
    plane.flight.begin()
    assert plane.flight.is_under_way
    asyncio.get_running_loop().call_later(0.01, plane.may_land.set)
    await asyncio.gather(*(plane.wait() for _ in range(10)))
    assert (plane.flights, plane.flight.is_under_way) == (1, False)
    await plane.wait()
    assert plane.flights == 2


async def test_who_gives_up_waiting_does_not_end_it() -> None:
    plane = Plane()
    with pytest.raises(TimeoutError):
        await plane.wait(0.01)
    assert plane.flight.is_under_way
    plane.may_land.set()
    await plane.wait()
    assert plane.flights == 1


async def test_what_goes_wrong_goes_on_to_whoever_waits() -> None:
    async def crash() -> None:
        raise ZeroDivisionError

    flight = Flight(crash)
    with pytest.raises(ZeroDivisionError):
        await flight.landed(asyncio.get_running_loop().time() + 10.0)
    assert not flight.is_under_way


async def test_once_more_begins_when_what_is_under_way_has_ended() -> None:
    plane = Plane()
    plane.flight.begin_again()
    plane.flight.begin_again()
    plane.flight.begin_again()
    await asyncio.sleep(0)
    assert plane.flights == 1
    plane.may_land.set()
    await eventually(lambda: plane.landed == 2 and not plane.flight.is_under_way)
    assert plane.flights == 2


async def test_at_the_end_there_is_no_once_more() -> None:
    plane = Plane()
    plane.flight.begin()
    plane.flight.begin_again()
    plane.may_land.set()
    await plane.flight.close(10.0)
    assert (plane.flights, plane.flight.is_under_way) == (1, False)


async def test_at_the_end_it_gets_a_moment() -> None:
    plane = Plane()
    await plane.flight.close(10.0)
    plane.flight.begin()
    asyncio.get_running_loop().call_later(0.01, plane.may_land.set)
    await plane.flight.close(10.0)
    assert (plane.flights, plane.landed) == (1, 1)


async def test_at_the_end_it_gets_no_longer_than_that() -> None:
    plane = Plane()
    plane.flight.begin()
    await plane.flight.close(0.01)
    assert (plane.flights, plane.landed) == (1, 0)
    assert not plane.flight.is_under_way

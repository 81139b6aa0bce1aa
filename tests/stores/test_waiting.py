"""Looking again and again: first at once, and a last time when time is up."""

from gateway.stores.waiting import wait_until


async def test_what_is_so_already_is_not_waited_for() -> None:
    async def look() -> bool:
        return True

    assert await wait_until(look, 0, 60)


async def test_it_is_looked_for_until_it_is_so() -> None:
    looks = iter([False, False, True])

    async def look() -> bool:
        return next(looks)

    assert await wait_until(look, 60, 0.001)


async def test_the_last_look_is_when_time_is_up() -> None:
    looks: list[bool] = []

    async def look() -> bool:
        looks.append(False)
        return False

    assert not await wait_until(look, 0.01, 60)
    assert len(looks) == 2

"""Every listener hears of every request."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from gateway.engine.events import Record
from gateway.ops.fanout import ENOUGH, TELL_WITHIN_S, Fanout


class Listener:
    def __init__(self) -> None:
        self.heard: list[Record] = []
        self.told = asyncio.Event()

    def hear(self, records: Iterable[Record]) -> None:
        for record in records:
            self.take(record)
        self.told.set()

    def take(self, record: Record) -> None:
        self.heard.append(record)


def records(count: int) -> list[Record]:
    return [Record(f"r-{number}", 0.0) for number in range(count)]


async def test_all_listeners_hear_of_all_requests_together_soon_after() -> None:
    first, second = Listener(), Listener()
    ended = records(3)
    events = Fanout((first, second))
    events.finished(ended[0])
    events.finished(ended[1])
    await asyncio.sleep(0)
    assert not first.heard
    await asyncio.wait_for(second.told.wait(), 10.0)
    assert first.heard == second.heard == ended[:2]
    second.told.clear()
    events.finished(ended[2])
    await asyncio.wait_for(second.told.wait(), 10.0)
    assert first.heard == second.heard == ended


async def test_many_requests_are_told_of_at_the_end_of_the_turn() -> None:
    listener = Listener()
    ended = records(ENOUGH + 5)
    events = Fanout((listener,))
    for record in ended:
        events.finished(record)
    assert not listener.heard
    await asyncio.sleep(0)
    assert listener.heard == ended


@pytest.mark.parametrize("changes", [{"status": 502}, {"status": 200, "cut": "why"}])
async def test_what_went_wrong_is_told_of_in_the_same_turn(changes: dict[str, Any]) -> None:
    listener = Listener()
    ended = [*records(1), Record("r-2", 0.0, **changes)]
    events = Fanout((listener,))
    for record in ended:
        events.finished(record)
    await asyncio.sleep(0)
    assert listener.heard == ended


async def test_who_asks_is_told_at_once_and_nothing_is_told_twice() -> None:
    listener = Listener()
    ended = records(ENOUGH)
    events = Fanout((listener,))
    for record in ended:
        events.finished(record)
    events.tell()
    assert listener.heard == ended
    await asyncio.sleep(2 * TELL_WITHIN_S)
    assert listener.heard == ended


async def test_who_cannot_hear_of_one_request_hears_of_the_others() -> None:
    told: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    ended = records(3)

    class Picky(Listener):
        def take(self, record: Record) -> None:
            if record is ended[1]:
                raise ZeroDivisionError
            super().take(record)

    first, second = Picky(), Listener()
    events = Fanout((first, second))
    for record in ended:
        events.finished(record)
    events.tell()
    assert first.heard == [ended[0], ended[2]]
    assert second.heard == ended
    assert [type(context["exception"]) for context in told] == [ZeroDivisionError]


async def test_who_can_hear_of_nothing_is_not_asked_without_end() -> None:
    told: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

    class Deaf(Listener):
        def hear(self, records: Iterable[Record]) -> None:
            raise ZeroDivisionError

    other = Listener()
    events = Fanout((Deaf(), other))
    for record in (ended := records(3)):
        events.finished(record)
    events.tell()
    assert other.heard == ended
    assert len(told) == 3

"""Every listener hears of every request."""

import asyncio

from gateway.engine.events import Record
from gateway.ops.fanout import Fanout


class Listener:
    def __init__(self) -> None:
        self.heard: list[Record] = []

    def finished(self, record: Record) -> None:
        self.heard.append(record)


async def test_all_listeners_hear_of_all_requests_of_a_turn_at_its_end() -> None:
    first, second = Listener(), Listener()
    records = [Record("r-1", 0.0), Record("r-2", 0.0), Record("r-3", 0.0)]
    events = Fanout((first, second))
    events.finished(records[0])
    events.finished(records[1])
    assert not first.heard
    await asyncio.sleep(0)
    assert first.heard == second.heard == records[:2]
    events.finished(records[2])
    await asyncio.sleep(0)
    assert first.heard == second.heard == records


async def test_who_cannot_hear_of_one_request_hears_of_the_others() -> None:
    told: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    records = [Record("r-1", 0.0), Record("r-2", 0.0), Record("r-3", 0.0)]

    class Picky(Listener):
        def finished(self, record: Record) -> None:
            if record is records[1]:
                raise ZeroDivisionError
            super().finished(record)

    first, second = Picky(), Listener()
    events = Fanout((first, second))
    for record in records:
        events.finished(record)
    await asyncio.sleep(0)
    assert first.heard == [records[0], records[2]]
    assert second.heard == records
    assert [type(context["exception"]) for context in told] == [ZeroDivisionError]

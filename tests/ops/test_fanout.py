"""Every listener hears of every request."""

from gateway.engine.events import Record
from gateway.ops.fanout import Fanout


class Listener:
    def __init__(self) -> None:
        self.heard: list[Record] = []

    def finished(self, record: Record) -> None:
        self.heard.append(record)


def test_all_listeners_hear_of_a_request() -> None:
    first, second = Listener(), Listener()
    record = Record("r-1", 0.0)
    Fanout((first, second)).finished(record)
    assert first.heard == second.heard == [record]

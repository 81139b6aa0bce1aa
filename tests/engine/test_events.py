"""A record starts with nothing told, and shows no more than it was given."""

import dataclasses

from gateway.engine.events import Asked, Record


def test_a_new_record_tells_nothing_but_its_id_and_start() -> None:
    record = Record("id", 1.0)
    told = {name for name, value in dataclasses.asdict(record).items() if value}
    assert told == {"request_id", "started", "asked"}
    assert record.asked == Asked()
    assert not any(dataclasses.asdict(record.asked).values())


def test_a_record_has_no_room_for_more() -> None:
    assert not hasattr(Record("id", 1.0), "__dict__")
    assert not hasattr(Asked(), "__dict__")

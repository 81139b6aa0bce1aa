"""The protocol, as the double of these tests implements it."""

from gateway.stores.events import Events
from tests.stores.telling import Told


def test_each_event_is_one_call() -> None:
    told = Told()
    events: Events = told
    events.store_down("refused")
    events.store_back()
    events.store_broken("not JSON", "/x.broken")
    events.entry_unreadable("token", "sealed under another key")
    assert told.lines == [
        "down: refused",
        "back",
        "broken: not JSON, kept as /x.broken",
        "unreadable: token: sealed under another key",
    ]

"""What the store's file holds, and its spelling as JSON.

The text is for a machine, but an operator can see in it which keys there are and when a
budget was spent; values are base64, sealed or not.

Rule 1: what `render_book` writes, `parse_book` reads back as it was.
Rule 2: a text that is anything else, or was cut, is refused as a whole.
"""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass, field
from typing import Any

from gateway.stores.doors import Doors
from gateway.stores.store import Entry

FORMAT = 1


class NoBook(Exception):
    """The text is no store's; the message says why, and shows nothing of it."""


@dataclass(slots=True)
class Book:
    """Entries by key, the last fence given for each, when each budget was spent, and doors.

    `ends` tells when an entry is to be forgotten, if it is. Times are seconds since 1970, so that
    they mean the same after a restart.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    fences: dict[str, int] = field(default_factory=dict)
    budgets: dict[str, list[float]] = field(default_factory=dict)
    doors: Doors = field(default_factory=dict)
    ends: dict[str, float] = field(default_factory=dict)

    def next_fence(self, key: str, floor: int) -> int:
        """Return a fence above every one that is known, and keep it."""
        entry = self.entries.get(key)
        version = entry.version if entry is not None else 0
        fence = self.fences[key] = max(self.fences.get(key, 0), version, floor) + 1
        return fence

    def write(self, key: str, entry: Entry) -> bool:
        """Keep an entry unless a newer one is there."""
        known = self.entries.get(key)
        if known is not None and known.version > entry.version:
            return False
        self.entries[key] = entry
        return True

    def keep(self, key: str, until: float) -> bool:
        """Have an entry forgotten from then on; False when there is none."""
        if key not in self.entries:
            return False
        self.ends[key] = until
        return True

    def forget(self, now: float) -> None:
        """Forget the entries whose time is over, and the fences of these."""
        for key in [key for key, end in self.ends.items() if end <= now]:
            for table in (self.ends, self.entries, self.fences):
                table.pop(key, None)


def render_book(book: Book) -> bytes:
    """Return the text of a book."""
    entries = {
        key: {"version": entry.version, "value": base64.b64encode(entry.value).decode("ascii")}
        for key, entry in book.entries.items()
    }
    tree = {"format": FORMAT, "entries": entries, "fences": book.fences, "budgets": book.budgets}
    if book.doors:
        tree["doors"] = book.doors
    if book.ends:
        tree["ends"] = book.ends
    return json.dumps(tree, indent=1, sort_keys=True).encode("ascii") + b"\n"


def parse_book(text: bytes) -> Book:
    """Read a text, or raise `NoBook`."""
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        raise NoBook("it is not JSON") from None
    try:
        if tree["format"] != FORMAT:
            raise NoBook("it has another format")
        return Book(
            {key: _read_entry(value) for key, value in tree["entries"].items()},
            {key: _read_count(value) for key, value in tree["fences"].items()},
            {key: [_read_time(time) for time in times] for key, times in tree["budgets"].items()},
            # Where no door was shut, none is written; nor is an end where there is none.
            {name: _read_door(*times) for name, times in tree.get("doors", {}).items()},
            {key: _read_time(time) for key, time in tree.get("ends", {}).items()},
        )
    except (LookupError, TypeError, ValueError, AttributeError):
        raise NoBook("it has not the shape of a store") from None


def _read_entry(value: Any) -> Entry:
    return Entry(_read_count(value["version"]), base64.b64decode(value["value"], validate=True))


def _read_door(opens_at: Any, for_s: Any) -> tuple[float, float]:
    return _read_time(opens_at), _read_time(for_s)


def _read_count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError
    return value


def _read_time(value: Any) -> float:
    if type(value) is not float or not math.isfinite(value):
        raise ValueError
    return value

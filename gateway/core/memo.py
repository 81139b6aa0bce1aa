"""What was found out once and comes again: a table with a bound and without a clock.

When it is full it forgets everything. That costs one finding-out for each entry that is
still wanted, and needs no order of use, which would cost more at every look.

Rule 1: a memo changes how long an answer takes and never the answer.
Rule 2: what depends on a configuration belongs to it, and goes with it.
Rule 3: who keeps something here makes sure that it is nobody's secret.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")

# Callers are programs: a few dozen heads make up nearly all of their traffic.
MAX_ENTRIES = 1024
MAX_BYTES = 1 << 20


class Memo(Generic[KeyT, ValueT]):
    """At most `max_entries`, and `max_bytes` by what `put` is told of each."""

    __slots__ = ("_bytes", "_known", "_max_bytes", "_max_entries", "get")

    def __init__(self, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._bytes = 0
        self._known: dict[KeyT, ValueT] = {}
        # The dict's own, because a method around it would cost as much again.
        self.get = self._known.get

    def __len__(self) -> int:
        return len(self._known)

    def put(self, key: KeyT, value: ValueT, size: int) -> None:
        """Keep a new entry of `size` bytes, unless it alone is too large."""
        if size > self._max_bytes:
            return
        if len(self._known) >= self._max_entries or self._bytes + size > self._max_bytes:
            self._known.clear()
            self._bytes = 0
        self._known[key] = value
        self._bytes += size

"""A mapping with a bound, which forgets what was not used for the longest time.

What the gateway learns from answers is keyed by what callers send: tokens that pass
through, paths that no catalogue has. None of it may grow without end, and forgetting
costs at most that it is learned again.

Rule: looking a key up is using it, from when half of the room is taken: before that, nothing
is forgotten soon, and keeping the order costs as much as the look-up.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """At most `most` entries."""

    __slots__ = ("_entries", "_most", "get")

    def __init__(self, most: int) -> None:
        self._entries: OrderedDict[K, V] = OrderedDict()
        self._most = most
        # Returns a value and makes it the latest used, or None. The mapping's own while it is
        # calm, because a method around it would cost as much again.
        self.get: Callable[[K], V | None] = self._entries.get

    def put(self, key: K, value: V) -> None:
        """Set a value, the latest used; forget the oldest when there are too many."""
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._most // 2:
            self.get = self._use
        if len(self._entries) > self._most:
            self._entries.popitem(last=False)

    def drop(self, key: K) -> None:
        """Forget a key, which need not be there."""
        self._entries.pop(key, None)

    def items(self) -> Iterator[tuple[K, V]]:
        """Yield every entry, the longest unused first; none becomes used by it."""
        yield from self._entries.items()

    def _use(self, key: K) -> V | None:
        value = self._entries.get(key)
        if value is not None:
            self._entries.move_to_end(key)
        return value

    def __len__(self) -> int:
        return len(self._entries)

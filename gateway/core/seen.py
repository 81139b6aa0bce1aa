"""What came before: a table of hashes with a bound, for what is worth keeping when it comes again.

Rule 1: a hash of something is kept, and nothing of itself.
Rule 2: two with one hash are at worst taken for each other, so that one is kept too early.
"""

from __future__ import annotations

# Python's keyed hashes; half a megabyte with what a set takes.
MOST_SEEN = 4096


class Seen:
    """The latest of what was asked about; when it is full it forgets everything."""

    __slots__ = ("_hashes",)

    def __init__(self) -> None:
        self._hashes: set[int] = set()

    def __len__(self) -> int:
        return len(self._hashes)

    def comes_again(self, key: bytes) -> bool:
        """Tell whether a key was asked about before."""
        seen = hash(key)
        if seen in self._hashes:
            return True
        if len(self._hashes) >= MOST_SEEN:
            self._hashes.clear()
        self._hashes.add(seen)
        return False

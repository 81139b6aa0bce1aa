"""What a store tells of itself: that it is down or back, and what it could not read.

A store never logs or counts. `ops` implements this, and `app` passes it in.

Rule: nothing told here holds a value or a part of one.
"""

from __future__ import annotations

from typing import Protocol


class Events(Protocol):
    """Hears of each change once."""

    def store_down(self, reason: str) -> None:
        """Take note that the store cannot be asked from now on."""
        ...

    def store_back(self) -> None:
        """Take note that the store answers again."""
        ...

    def store_broken(self, reason: str, kept: str) -> None:
        """Take note that the file was no store's; it is at the path `kept` now."""
        ...

    def entry_unreadable(self, key: str, reason: str) -> None:
        """Take note that the entry of a key cannot be opened, and counts as absent."""
        ...

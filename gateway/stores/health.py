"""Whether a store can be asked, told once for each change.

Rule: a reason names places and causes in words of ours; foreign error text stays out of it.
"""

from __future__ import annotations

from gateway.stores.events import Events
from gateway.stores.store import StoreDown


class Health:
    """`trouble` is why the store cannot be asked, None when it can."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self.trouble: str | None = None

    def fail(self, reason: str) -> StoreDown:
        """Take note of a failure; return what to raise."""
        well, self.trouble = self.trouble is None, reason
        if well:
            self._events.store_down(reason)
        return StoreDown(reason)

    def succeed(self) -> None:
        """Take note that the store did what was asked."""
        if self.trouble is not None:
            self.trouble = None
            self._events.store_back()

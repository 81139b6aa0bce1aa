"""A timer that is moved often and fires seldom.

A connection's deadline changes several times per request, and almost never passes.
Cancelling and making an event-loop timer each time would cost more than the request's
parsing; so the loop's timer is left where it is when the deadline moves later, and looks
again when it fires.

Rule: one watch watches one thing at a time; setting it again replaces what it watched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Watch:
    """Calls back once when a deadline (event-loop seconds) passes."""

    __slots__ = ("_callback", "_deadline", "_due", "_handle", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._callback: Callable[[], None] | None = None
        self._deadline = 0.0
        self._handle: asyncio.TimerHandle | None = None
        self._due = 0.0

    @property
    def is_set(self) -> bool:
        """Tell whether something is watched."""
        return self._callback is not None

    def set(self, deadline: float, callback: Callable[[], None]) -> None:
        """Watch for `deadline`."""
        self._callback = callback
        self._deadline = deadline
        if self._handle is None or deadline < self._due:
            self._schedule(deadline)

    def put_off(self, deadline: float) -> None:
        """Watch what is watched until later."""
        self._deadline = deadline

    def clear(self) -> None:
        """Watch for nothing; the loop's timer is left to find that out."""
        self._callback = None

    def close(self) -> None:
        """Watch for nothing, and leave nothing in the event loop."""
        self._callback = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _schedule(self, due: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._due = due
        self._handle = self._loop.call_at(due, self._fire)

    def _fire(self) -> None:
        self._handle = None
        callback = self._callback
        if callback is None:
            return
        if self._loop.time() < self._deadline:
            self._schedule(self._deadline)
            return
        self._callback = None
        callback()

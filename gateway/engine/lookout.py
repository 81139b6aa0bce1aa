"""Waits for two sockets that the event loop has transports for: one to read, one to write.

The loop takes no other reader or writer of a transport's socket, so they are waited for by
descriptors of their own.

Rule 1: nothing is waited for that was not asked for, and one thing at a time.
Rule 2: once it is closed no descriptor of it is left; until then a socket stays open by them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from gateway.engine.wire import NO_DESCRIPTOR


class Lookout:
    """Calls back, again and again, when a socket has something to read, or takes something."""

    __slots__ = ("_loop", "_reads", "_writes", "awaits_bytes", "awaits_room")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        # Made when they are needed.
        self._reads = self._writes = NO_DESCRIPTOR
        self.awaits_bytes = self.awaits_room = False

    def await_bytes(self, descriptor: int, callback: Callable[[], None]) -> None:
        """Wait until a socket, always the same, can be read; raises `OSError`."""
        self.stop()
        if self._reads == NO_DESCRIPTOR:
            self._reads = os.dup(descriptor)
        self._loop.add_reader(self._reads, callback)
        self.awaits_bytes = True

    def await_room(self, descriptor: int, callback: Callable[[], None]) -> None:
        """Wait until a socket, always the same, can be written to; raises `OSError`."""
        self.stop()
        if self._writes == NO_DESCRIPTOR:
            self._writes = os.dup(descriptor)
        self._loop.add_writer(self._writes, callback)
        self.awaits_room = True

    def stop(self) -> None:
        """Wait for nothing."""
        if self.awaits_bytes:
            self._loop.remove_reader(self._reads)
        if self.awaits_room:
            self._loop.remove_writer(self._writes)
        self.awaits_bytes = self.awaits_room = False

    def close(self) -> None:
        """Wait for nothing any more."""
        self.stop()
        for descriptor in (self._reads, self._writes):
            if descriptor != NO_DESCRIPTOR:
                os.close(descriptor)
        self._reads = self._writes = NO_DESCRIPTOR

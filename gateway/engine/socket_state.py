"""What the kernel knows of a socket, and the event loop does not yet: it may be a turn late.

Rule: looking changes nothing: what is there stays to be read.
"""

from __future__ import annotations

import select

_ENDS = select.POLLERR | select.POLLHUP


class SocketState:
    """The state of one socket, looked up when asked for."""

    __slots__ = ("poll",)

    def __init__(self, descriptor: int) -> None:
        state = select.poll()
        state.register(descriptor, select.POLLIN)
        # Returns what is there, nothing when there is nothing to read, not even an end. It is the
        # library's own, because a method around it would cost as much again.
        self.poll = state.poll

    def is_ended(self) -> bool:
        """Tell whether the other side has cut the connection."""
        found = self.poll(0)
        return bool(found) and any(events & _ENDS for _, events in found)

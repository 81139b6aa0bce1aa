"""What the kernel knows of a socket, and the event loop does not yet: it may be a turn late.

Rule: looking changes nothing: what is there stays to be read.
"""

from __future__ import annotations

import select

_ENDS = select.POLLERR | select.POLLHUP


class SocketState:
    """The state of one socket, looked up when asked for."""

    __slots__ = ("_poll",)

    def __init__(self, descriptor: int) -> None:
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def is_silent(self) -> bool:
        """Tell whether there is nothing to read, not even an end."""
        return not self._poll.poll(0)

    def is_ended(self) -> bool:
        """Tell whether the other side has cut the connection."""
        return any(events & _ENDS for _, events in self._poll.poll(0))

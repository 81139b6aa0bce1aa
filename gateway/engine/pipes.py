"""Pipes that bodies pass through, each of one body.

Rule: no more than `MOST_PIPES` are open, so that connections are not left without descriptors.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress

# As much as one read of the event loop brings.
PIPE_BYTES = 262144
# More bodies than these at once are read and written.
MOST_PIPES = 16


class Pipe:
    """A pipe, by its two descriptors; both never wait."""

    __slots__ = ("inlet", "outlet")

    def __init__(self) -> None:
        """Open one; raises `OSError` when no descriptors are left."""
        self.outlet, self.inlet = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        # A user may have only so much of it (pipe(7)); what there is does, too.
        with suppress(OSError):
            fcntl.fcntl(self.inlet, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def close(self) -> None:
        """Close both ends; what is in it is lost."""
        os.close(self.inlet)
        os.close(self.outlet)


class Pipes:
    """Those of one process; `count` are open."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def take(self) -> Pipe | None:
        """Return a new pipe, None when there is none to be had."""
        if self.count >= MOST_PIPES:
            return None
        try:
            pipe = Pipe()
        except OSError:
            return None
        self.count += 1
        return pipe

    def give_back(self, pipe: Pipe) -> None:
        """Close a pipe that was taken."""
        self.count -= 1
        pipe.close()


pipes = Pipes()

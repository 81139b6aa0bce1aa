"""Pipes that bodies pass through, one after the other.

One that has become free is kept for the next body, but only for a moment.

Rule 1: no more than `MOST_PIPES` are open, so that connections are not left without descriptors.
Rule 2: what is kept is empty, and closed before long when no other body comes.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from contextlib import suppress

# With 256 KiB, what one read of the event loop brings, a body of 1 MiB costs 1.2 times the CPU, and
# with 1 MiB no less. A user may have 64 MiB in all (pipe(7)): those of eight workers.
PIPE_BYTES = 524288
# More bodies than these at once are read and written.
MOST_PIPES = 16
# For how long a free one is kept at most.
KEPT_S = 1.0


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
    """Those of one process; `count` are in use."""

    __slots__ = ("_kept", "_swept_by", "count")

    def __init__(self) -> None:
        self._kept: list[Pipe] = []
        # By when those that are kept will have been closed, in event-loop seconds: a time, and
        # no mark, because a loop may end before.
        self._swept_by = 0.0
        self.count = 0

    def take(self) -> Pipe | None:
        """Return an empty pipe, None when there is none to be had."""
        if self._kept:
            pipe = self._kept.pop()
        elif self.count < MOST_PIPES:
            try:
                pipe = Pipe()
            except OSError:
                return None
        else:
            return None
        self.count += 1
        return pipe

    def give_back(self, pipe: Pipe, loop: asyncio.AbstractEventLoop, *, is_empty: bool) -> None:
        """Keep a pipe that was taken for the next body, unless it has bytes of this one."""
        self.count -= 1
        if not is_empty:
            pipe.close()
            return
        self._kept.append(pipe)
        now = loop.time()
        if now >= self._swept_by:
            self._swept_by = now + KEPT_S
            loop.call_later(KEPT_S, self._sweep)

    def _sweep(self) -> None:
        self._swept_by = 0.0
        while self._kept:
            self._kept.pop().close()


pipes = Pipes()

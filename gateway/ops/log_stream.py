"""The stream that log lines go to: written to while it takes them, and never waited for.

A pipe whose reader stands still and a terminal that was stopped would hold up whoever writes,
and with it requests, probes and the shutdown. What they do not take waits here.

Rule 1: lines leave whole and in order, or are lost: on a full disk, behind a closed pipe, and
        when too much waits.
Rule 2: once a line was lost for want of room, so are all that come before what waits has left;
        then it is told how many.
Rule 3: the descriptor's flags are left as they are: other processes have the same one.
"""

from __future__ import annotations

import asyncio
import os
import select
import stat
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO

# Some thousands of lines: what comes while a reader pauses for a moment.
MOST_WAITING_BYTES = 1048576
# A file takes any write as one. Of a pipe that is sure only up to PIPE_BUF, for which it has room
# when it says that it has some (pipe(7)).
_MOST_TO_A_FILE = 65536
# When it is looked again whether there is room, if nobody writes before.
_AGAIN_S = 0.05
# For what waits at the end of the process.
_PATIENCE_S = 1.0


class LogStream:
    """Takes lines for `stream`; `most_at_once` bytes stay together, whoever else writes there."""

    def __init__(self, stream: BinaryIO, tell_lost: Callable[[int], bytes]) -> None:
        """`tell_lost` returns the line that says how many were lost, without its end."""
        with suppress(OSError):
            stream.flush()
        self.stream = stream
        self.tell_lost = tell_lost
        # Its write tells how much was taken, and that nothing was with None.
        self._raw: Any = _opened_anew(stream) or getattr(stream, "raw", None) or stream
        self._poll, self.most_at_once = _kind_of(stream)
        # Each with the number of lines that are lost with it.
        self._waiting: deque[tuple[bytes, int]] = deque()
        self._waiting_bytes = 0
        # A part of the first that waits has left.
        self._is_begun = False
        # Ends a line of which the rest was lost.
        self._ending = b""
        self._lost = 0
        self._looking: asyncio.AbstractEventLoop | None = None
        # One that was written in: a thread has none.
        self._loop: asyncio.AbstractEventLoop | None = None
        # A library may log in another thread, and while a line is written here: what a collection
        # of garbage finds may have something to say.
        self._lock = threading.Lock()
        self._here = threading.local()
        self._aside: deque[list[bytes]] = deque()

    def write(self, lines: list[bytes]) -> None:
        """Write lines, now or when there is room; they have no ends yet."""
        self._aside.append(lines)
        self._work()
        self._look_again()

    def finish(self) -> None:
        """Write what waits, while that is taken: the process ends."""
        self._work(time.monotonic() + _PATIENCE_S)

    def _work(self, until: float = 0.0) -> None:
        """Take in what was given, and write what is taken by then; once in each thread."""
        if getattr(self._here, "is_busy", False):
            return
        self._here.is_busy = True
        try:
            with self._lock:
                self._catch_up(until)
                while self._aside:
                    self._take(self._aside.popleft())
                    self._catch_up(until)
        finally:
            self._here.is_busy = False

    def _take(self, lines: list[bytes]) -> None:
        data = b"\n".join(lines) + b"\n"
        is_room = not self._lost and self._waiting_bytes + len(data) <= MOST_WAITING_BYTES
        if self._waiting and not is_room:
            self._lost += len(lines)
        else:
            self._wait(data, len(lines))

    def _wait(self, data: bytes, count: int) -> None:
        data, self._ending = self._ending + data, b""
        self._waiting.append((data, count))
        self._waiting_bytes += len(data)

    def _catch_up(self, until: float = 0.0) -> None:
        """Write what waits, as far as it is taken, and what was lost meanwhile."""
        while self._waiting:
            patience_s = max(until - time.monotonic(), 0.0) if until else 0.0
            if self._poll is not None and not self._poll.poll(patience_s * 1000):
                return
            data, _ = self._waiting[0]
            part = data if self._poll is None else data[: self.most_at_once]
            try:
                taken = self._raw.write(part)
            except OSError:
                self._lose()
                return
            if taken is None:
                return
            self._drop(taken)
            if not self._waiting and self._lost:
                lost, self._lost = self._lost, 0
                # If that is lost as well, it is told by the next one.
                self._wait(self.tell_lost(lost) + b"\n", lost)

    def _drop(self, size: int) -> None:
        """Take note that so many bytes of the first that waits have left."""
        data, count = self._waiting.popleft()
        self._waiting_bytes -= size
        self._is_begun = size < len(data)
        if self._is_begun:
            self._waiting.appendleft((data[size:], count))

    def _lose(self) -> None:
        """Lose what waits: it cannot be written."""
        if self._is_begun or self._waiting[0][0].startswith(b"\n"):
            self._ending = b"\n"
        self._lost += sum(count for _, count in self._waiting)
        self._waiting_bytes, self._is_begun = 0, False
        self._waiting.clear()

    def _look_again(self) -> None:
        if self._loop is None:
            self._loop = asyncio._get_running_loop()
        looking = self._looking
        if not self._waiting or (looking is not None and not looking.is_closed()):
            return
        here = asyncio._get_running_loop()
        if here is not None:
            self._looking = here
            here.call_later(_AGAIN_S, self._on_timer)
        elif self._loop is not None:
            self._have_looked(self._loop)

    def _have_looked(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have a loop look again from a thread that has none."""
        try:
            loop.call_soon_threadsafe(self._look_again)
        except RuntimeError:
            # It is closed.
            self._loop = None

    def _on_timer(self) -> None:
        self._looking = None
        self._work()
        self._look_again()


class _Description:
    """A file opened for whoever writes alone, which is closed with it."""

    def __init__(self, name: str) -> None:
        self._descriptor = os.open(name, os.O_WRONLY | os.O_NONBLOCK)

    def write(self, data: bytes) -> int | None:
        """Write what is taken; return how much, None for nothing."""
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:
            return None

    def __del__(self) -> None:
        with suppress(AttributeError, OSError):
            os.close(self._descriptor)


def _opened_anew(stream: BinaryIO) -> _Description | None:
    """Return a pipe or a terminal opened once more, never to wait for it; None for another stream.

    Others who write to the same pipe may take the room that it said it has, and a terminal says
    that it has some, however little that is. None, too, where it may not be opened.
    """
    try:
        descriptor = stream.fileno()
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            name = f"/proc/self/fd/{descriptor}"
        else:
            name = os.ttyname(descriptor)
        return _Description(name)
    except (OSError, ValueError):
        return None


def _kind_of(stream: BinaryIO) -> tuple[select.poll | None, int]:
    """Return what tells whether a stream has room, None where it always has; and `most_at_once`."""
    try:
        descriptor = stream.fileno()
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
    except (OSError, ValueError):
        # No stream of the system's.
        return None, select.PIPE_BUF
    if is_file:
        return None, _MOST_TO_A_FILE
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return poll, select.PIPE_BUF

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
import io
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
        self._own = _own_terminal(stream)
        # Its write tells how much was taken, and that nothing was with None.
        self._raw: Any = self._own or getattr(stream, "raw", None) or stream
        self._poll, self.most_at_once = _kind_of(stream)
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._lost = 0
        self._looking: asyncio.AbstractEventLoop | None = None
        # A library may log in another thread.
        self._lock = threading.Lock()

    def write(self, lines: list[bytes]) -> None:
        """Write lines, now or when there is room; they have no ends yet."""
        data = b"\n".join(lines) + b"\n"
        with self._lock:
            if self._waiting:
                self._catch_up()
            if not self._waiting:
                self._wait(data)
                self._catch_up()
            elif not self._lost and self._waiting_bytes + len(data) <= MOST_WAITING_BYTES:
                self._wait(data)
            else:
                self._lost += len(lines)
        self._look_again()

    def finish(self) -> None:
        """Write what waits, while that is taken: the process ends."""
        end = time.monotonic() + _PATIENCE_S
        with self._lock:
            while self._waiting and (left_s := end - time.monotonic()) > 0:
                self._catch_up(left_s)

    def close(self) -> None:
        """Let go of what this has opened; the stream itself stays open."""
        if self._own is not None:
            self._own.close()

    def _wait(self, data: bytes) -> None:
        self._waiting.append(data)
        self._waiting_bytes += len(data)

    def _catch_up(self, patience_s: float = 0.0) -> None:
        """Write what waits, as far as it is taken, and what was lost meanwhile."""
        while self._waiting:
            if self._poll is not None and not self._poll.poll(patience_s * 1000):
                return
            data = self._waiting[0]
            part = data if self._poll is None else data[: self.most_at_once]
            try:
                taken = self._raw.write(part)
            except OSError:
                self._waiting.clear()
                self._waiting_bytes = self._lost = 0
                return
            if taken is None:
                return
            self._drop(taken)
            if not self._waiting and self._lost:
                lost, self._lost = self._lost, 0
                self._wait(self.tell_lost(lost) + b"\n")

    def _drop(self, size: int) -> None:
        """Take note that so many bytes of the first that waits have left."""
        data = self._waiting.popleft()
        self._waiting_bytes -= size
        if size < len(data):
            self._waiting.appendleft(data[size:])

    def _look_again(self) -> None:
        if not self._waiting or (self._looking is not None and not self._looking.is_closed()):
            return
        self._looking = asyncio._get_running_loop()
        if self._looking is not None:
            self._looking.call_later(_AGAIN_S, self._on_timer)

    def _on_timer(self) -> None:
        self._looking = None
        with self._lock:
            self._catch_up()
        self._look_again()


def _own_terminal(stream: BinaryIO) -> io.FileIO | None:
    """Return a terminal opened once more, never to wait for it; None for any other stream.

    It says that it has room when it has some, however little that is.
    """
    try:
        name = os.ttyname(stream.fileno())
        return io.FileIO(os.open(name, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY), "w")
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

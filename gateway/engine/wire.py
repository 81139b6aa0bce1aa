"""What is written to one socket: short pieces leave together with the others of the loop's turn.

Every write wakes a process that waits for it. When the writes of a turn follow each other
closely, most of them meet a reader that is awake already, and cost half; with the deciding
of a request between two of them, each wakes anew. Where a turn has few, there is nothing to
wait for. Writing to the socket itself also costs less than having a transport do so. What a
socket does not take, what is long and what TLS encrypts is the transport's to write.

Rule 1: bytes leave in the order in which they were written, and before an end or a close.
Rule 2: nothing is held beyond the turn of the event loop in which it was written.
Rule 3: a socket that is closing is never written to: its number may be another one's by then.
Rule 4: what is written, for whom and how long it may take, it does not know.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from weakref import WeakKeyDictionary

# Longer pieces gain nothing, and putting two of them together costs.
MOST_HELD_BYTES = 131072
# With more of them in a turn, waiting for the others is worth it.
_FEW_WRITES = 2
# Below this, two pieces go out in one write; above, copying costs more than a write.
_MOST_JOINED_BYTES = 65536

# No number of a socket's: all goes through the transport.
NO_DESCRIPTOR = -1

# What `write` is told of a message that nothing more will be written of.
WHOLE = True


def join_short(head: bytes, data: bytes) -> tuple[bytes, ...]:
    """Return a head and what goes with it as they are best written: together when that is short."""
    return (head + data,) if len(data) <= _MOST_JOINED_BYTES else (head, data)


class Wire:
    """A transport, as far as it is used here; `on_backlog` hears of bytes that are not taken."""

    __slots__ = (
        *("_gathers", "_held", "_lags", "_loop", "_outbox", "_passed_on", "_transport"),
        *("descriptor", "get_extra_info", "is_closing", "on_backlog", "pause_reading"),
        *("resume_reading", "set_protocol"),
    )

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Write to `transport` from now on; whoever else does so breaks the order."""
        self._loop = loop
        self._transport = transport
        # Several pieces leave in one write. That of asyncio's own loop neither asks to pause nor
        # drops what is empty (CPython 3.12 and 3.13).
        self._gathers = type(loop).__module__.startswith("uvloop")
        self._outbox = _outbox_of(loop)
        self._held = b""
        self._passed_on = 0
        # The transport may hold something that the kernel has not taken.
        self._lags = True
        self.on_backlog: Callable[[], None] | None = None
        # Of the socket, `NO_DESCRIPTOR` where what is written is encrypted.
        self.descriptor = _descriptor_of(transport)
        # Where these are called often it is by a local name: the value of a slot that is called
        # where it stands is looked up anew each time (CPython 3.11).
        self.get_extra_info = transport.get_extra_info
        self.is_closing = transport.is_closing
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.set_protocol = transport.set_protocol

    def write(self, data: bytes, is_whole: bool = False) -> None:
        """Write soon; errors show as the loss of the connection, as a transport's do.

        A whole message leaves at once where a turn writes so few that none waits for another.
        """
        if (
            (self._lags and self._look_whether_it_lags())
            or self._held
            or len(data) > MOST_HELD_BYTES
        ):
            self._append(data)
            return
        self._held = data
        outbox = self._outbox
        if not outbox.writes:
            self._loop.call_soon(outbox.end_turn, self._loop)
        outbox.writes += 1
        if is_whole and not outbox.is_busy:
            self.send()
        else:
            outbox.wires.append(self)

    def write_now(self, data: bytes) -> None:
        """Write before the turn is over, after what is held."""
        if self._held or (self._lags and self._look_whether_it_lags()):
            self.write(data)
        else:
            self._held = data
        self.send()

    def writelines(self, pieces: tuple[bytes, ...]) -> None:
        """Write what belongs together; only when that is short it is put together."""
        if sum(map(len, pieces)) <= _MOST_JOINED_BYTES:
            self.write(b"".join(pieces))
            return
        held, self._held = self._held, b""
        self._pass_on(*((held, *pieces) if held else pieces))

    def send(self) -> None:
        """Write what is held."""
        data, self._held = self._held, b""
        is_closing = self.is_closing
        if not data or is_closing():
            return
        try:
            sent = os.write(self.descriptor, data)
        except OSError:
            # The transport meets the same error, or waits, and does what is to be done then.
            sent = 0
        if sent < len(data):
            self._pass_on(data[sent:])

    @property
    def taken_bytes(self) -> int:
        """Return how many bytes the kernel has taken of those that it did not take at once."""
        return self._passed_on - self._transport.get_write_buffer_size()

    def get_write_buffer_size(self) -> int:
        """Return how many bytes the kernel has not taken."""
        held = len(self._held)
        return held + self._transport.get_write_buffer_size() if self._lags else held

    def write_eof(self) -> None:
        """Say that no more will come, after all that was written."""
        self.send()
        self._transport.write_eof()

    def close(self) -> None:
        """Close, once all that was written has left."""
        self.send()
        self._transport.close()

    def abort(self) -> None:
        """Close at once; what has not left is lost."""
        self._held = b""
        self._transport.abort()

    def _look_whether_it_lags(self) -> bool:
        # What must be encrypted is the transport's for good.
        self._lags = self.descriptor == NO_DESCRIPTOR or self._transport.get_write_buffer_size() > 0
        return self._lags

    def _append(self, data: bytes) -> None:
        """Write after what is held or lags, together with what is held where that is short."""
        held = self._held
        if self._lags or len(held) + len(data) > MOST_HELD_BYTES:
            self._held = b""
            self._pass_on(*((held, data) if held else (data,)))
        else:
            self._held = held + data

    def _pass_on(self, *pieces: bytes) -> None:
        self._lags = True
        self._passed_on += sum(map(len, pieces))
        if self._gathers:
            self._transport.writelines(pieces)
        else:
            for piece in pieces:
                self._transport.write(piece)
        if self.on_backlog is not None and self._transport.get_write_buffer_size():
            self.on_backlog()


class _Outbox:
    """The wires of one event loop that hold something; `writes` counts what this turn wrote.

    `is_busy` tells that the latest turn wrote more than a few times.
    """

    __slots__ = ("is_busy", "wires", "writes")

    def __init__(self) -> None:
        self.wires: list[Wire] = []
        self.writes = 0
        self.is_busy = False

    def end_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have all of them send."""
        wires, self.wires = self.wires, []
        self.is_busy, self.writes = self.writes > _FEW_WRITES, 0
        for wire in wires:
            try:
                wire.send()
            except Exception as error:  # noqa: BLE001 (one that fails must not hold the others up)
                wire.abort()
                loop.call_exception_handler({"message": "a write failed", "exception": error})


_outboxes: WeakKeyDictionary[asyncio.AbstractEventLoop, _Outbox] = WeakKeyDictionary()


def _outbox_of(loop: asyncio.AbstractEventLoop) -> _Outbox:
    outbox = _outboxes.get(loop)
    if outbox is None:
        outbox = _outboxes[loop] = _Outbox()
    return outbox


def _descriptor_of(transport: asyncio.Transport) -> int:
    """Return the number of the socket; none without one, nor where what is written is encrypted."""
    sock = transport.get_extra_info("socket")
    if sock is None or transport.get_extra_info("sslcontext") is not None:
        return NO_DESCRIPTOR
    number: int = sock.fileno()
    return number

"""A long request body in the fast lane, as its connection receives it.

Rule 1: no more is read from the caller than is taken, but for what one buffer holds.
Rule 2: what becomes of a part it does not know; it has one taker, or its buffer is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

from aiohttp.base_protocol import BaseProtocol
from aiohttp.streams import StreamReader

from gateway.engine.body_source import BodySource, stall
from gateway.engine.incoming import Gate
from gateway.engine.inflow import Take
from gateway.engine.wire import Wire

# Twice as much is held at most, and what one read of the event loop brings; as in the main lane.
_BUFFER_BYTES = 65536


class Pausable(Protocol):
    """The connection, as far as its buffer and its body ask."""

    transport: Wire | None

    @property
    def connected(self) -> bool:
        """Tell whether more may come."""

    def pause_reading(self) -> None:
        """Read no more from the caller: the buffer is full."""

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Go on reading: the buffer has room."""

    def data_received(self, data: bytes) -> None:
        """Take what came."""


class LongBody(BodySource):
    """The body of one request; `payload` holds what nobody has taken, `left` is yet to come."""

    __slots__ = ("_connection", "left", "payload")

    def __init__(
        self, connection: Pausable, gate: Gate, length: int, loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(gate, loop, self)
        self._connection = connection
        self.left = length
        self.payload = StreamReader(cast(BaseProtocol, connection), _BUFFER_BYTES, loop=loop)

    def pass_on(self, take: Take, on_stall: Callable[[], None]) -> None:
        """Have `take` take what comes, until it refuses; `on_stall` hears that nothing comes."""
        self._take, self._taken_from = take, self.payload

        def give_up() -> None:
            stall(self.payload)
            on_stall()

        self._watch.set(self._idle_by(), give_up)

    def hold_back(self) -> None:
        """Have nothing taken, from now on, but by whoever reads."""
        self._let_go()
        self._watch.clear()

    def receive(self, data: bytes) -> tuple[bool, bytes]:
        """Take what is the body's; return whether somebody took it, and the bytes after it."""
        part, rest = (data, b"") if len(data) <= self.left else self._split(data)
        self.left -= len(part)
        is_taken = self.is_taken(self.payload, part)
        if not is_taken:
            self.payload.feed_data(part)
        if not self.left:
            self.payload.feed_eof()
            self.close()
        elif is_taken:
            self.splice()
        return is_taken, rest

    # The side of the splice.

    @property
    def inlet(self) -> Wire | None:
        """Return where the body comes in, None when that is gone."""
        return self._connection.transport

    def let_by(self, size: int) -> None:
        """Take note that so many bytes came and have left."""
        self.left -= size
        self.put_off()

    def put_back(self, data: bytes) -> None:
        """Hold what came and has not left."""
        self.left -= len(data)
        self.payload.feed_data(data)

    def data_received(self, data: bytes) -> None:
        """Take what came as if it had been read."""
        self._connection.data_received(data)

    def note_broken(self) -> None:
        """Do nothing: a caller that is gone is gone, however it went."""

    def _split(self, data: bytes) -> tuple[bytes, bytes]:
        return data[: self.left], data[self.left :]

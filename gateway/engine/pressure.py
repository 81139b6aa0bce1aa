"""Whether the other side takes what is written: asyncio's flow control, for one writer to wait on.

Rule: whoever waits is woken when the transport has room again, and when it is gone.
"""

from __future__ import annotations

import asyncio


class Pressure:
    """The outgoing buffer of one transport: above its high-water mark, or not."""

    __slots__ = ("_loop", "_room")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._room: asyncio.Future[None] | None = None

    @property
    def is_high(self) -> bool:
        """Tell whether a writer should wait."""
        return self._room is not None

    def rise(self) -> None:
        """Take note that the buffer is above its high-water mark."""
        self._room = self._loop.create_future()

    def fall(self) -> None:
        """Take note that there is room, or nobody to write to."""
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    async def fallen(self) -> None:
        """Wait until there is room."""
        if self._room is not None:
            await asyncio.shield(self._room)

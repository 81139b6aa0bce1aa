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


class Pressed:
    """A protocol whose outgoing buffer is bounded by whoever writes: a part of it."""

    __slots__ = ()

    _pressure: Pressure

    @property
    def has_room(self) -> bool:
        """Tell whether the other side takes what is written."""
        return not self._pressure.is_high

    async def drain(self) -> None:
        """Wait until the other side has taken enough to be sent more."""
        await self._pressure.fallen()

    def pause_writing(self) -> None:
        """Hold back what is to be written (asyncio calls this above the high-water mark)."""
        self._pressure.rise()

    def resume_writing(self) -> None:
        """Let it go on."""
        self._pressure.fall()

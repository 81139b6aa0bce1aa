"""A close that does not destroy the answer before it.

When a connection ends while its caller still sends, the kernel answers the bytes that
nobody reads with a reset, which overtakes the answer. So the caller is told that no more
will come, and what it still sends is read and dropped for a while (RFC 9112 section 9.6).

Rule: it ends when the caller ends, is silent for a while, or has had time enough.
"""

from __future__ import annotations

import asyncio

from gateway.engine.watch import Watch

# Half of nginx's lingering_timeout and lingering_time: a caller that reads while it sends
# stops at once, and one that sends first gets this long.
LINGER_IDLE_S = 2.5
LINGER_MOST_S = 15.0


class Linger:
    """The end of one connection."""

    __slots__ = ("_end", "_ended", "_loop", "_over", "_watch")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._watch = Watch(loop)
        self._over: asyncio.Future[None] | None = None
        self._end = 0.0
        self._ended = False

    async def wait(self) -> None:
        """Wait until the connection may be closed."""
        if self._ended:
            return
        self._over = self._loop.create_future()
        self._end = self._loop.time() + LINGER_MOST_S
        self.go_on()
        await self._over

    def go_on(self) -> None:
        """Take note that the caller still sends."""
        if self._over is not None:
            deadline = min(self._end, self._loop.time() + LINGER_IDLE_S)
            self._watch.set(deadline, self.end)

    def end(self) -> None:
        """Take note that the caller sends no more, or has sent for long enough."""
        self._ended = True
        if self._over is not None and not self._over.done():
            self._over.set_result(None)

    def close(self) -> None:
        """Watch no more; the connection is gone."""
        self._watch.close()

"""Body bytes on their way to whoever reads them: at once while that waits, or through a buffer.

Rule 1: bytes reach the reader in the order in which they came, whoever took those before.
Rule 2: a body that stops coming ends with an error for its reader.
Rule 3: this module knows nothing of connections, nor how a body is framed; it is given parts.
"""

from __future__ import annotations

import asyncio

from aiohttp.streams import StreamReader

from gateway.engine import flaws
from gateway.engine.incoming import Gate
from gateway.engine.inflow import Take
from gateway.engine.splice import Receiver, Splice, begin_splice
from gateway.engine.watch import Watch


class BodySource:
    """The bodies that come by one connection, one after the other."""

    __slots__ = (
        *("_gate", "_is_gone", "_loop", "_receiver", "_splice", "_take", "_taken_from"),
        "_watch",
    )

    def __init__(
        self, gate: Gate, loop: asyncio.AbstractEventLoop, receiver: Receiver | None = None
    ) -> None:
        self._gate = gate
        self._loop = loop
        self._watch = Watch(loop)
        # Takes bytes of a body at once, while its reader has none and waits.
        self._take: Take | None = None
        self._taken_from: StreamReader | None = None
        self._splice: Splice | None = None
        # Who receives the bodies, and may have them go by themselves.
        self._receiver: Receiver | None = receiver
        self._is_gone = False

    async def read_body(
        self, payload: StreamReader, deadline: float, take: Take | None = None
    ) -> bytes:
        """Return the next bytes of a request body, b"" at its end.

        Those that `take` takes while this waits are not returned, and put the time off.
        Raises `RequestTimeout` when none come in time, `BadRequest` when the coding is broken.
        """
        if payload.is_eof():
            return await payload.readany()
        if self._is_gone:
            raise ConnectionResetError("the caller is gone")
        if piece := payload.read_nowait():
            return piece
        self._watch.set(min(deadline, self._idle_by()), lambda: stall(payload))
        self._take, self._taken_from = take, payload
        self.splice()
        try:
            return await payload.readany()
        finally:
            self._let_go()
            self._watch.clear()

    def is_taken(self, payload: StreamReader, part: bytes) -> bool:
        """Give bytes of a body to whoever waits for them, and takes them at once."""
        if self._take is None or self._taken_from is not payload or not part:
            # Of a body that has ended, the reader may not have heard of it yet.
            return False
        is_taken = self._take(part)
        if is_taken:
            self.put_off()
        else:
            # What comes next comes after this part.
            self._take = None
        return is_taken

    def put_off(self) -> None:
        """Take note that something came."""
        self._watch.put_off(self._idle_by())

    def splice(self) -> None:
        """Have what comes next go by itself to whoever takes it, if it may."""
        if self._receiver is not None:
            self._splice = begin_splice(self._loop, self._receiver, self._take)

    def close(self) -> None:
        """Take note that no more will come."""
        self._is_gone = True
        self._let_go()
        self._receiver = None
        self._watch.close()

    def _let_go(self) -> None:
        """Have nobody take what comes."""
        self._take = None
        if self._splice is not None:
            splice, self._splice = self._splice, None
            splice.stop()

    def _idle_by(self) -> float:
        return self._loop.time() + self._gate.timeouts.body_idle_s


def stall(payload: StreamReader) -> None:
    """Tell whoever reads a body that no more of it comes."""
    payload.set_exception(flaws.body_stalled())

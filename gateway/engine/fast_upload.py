"""A request of the fast lane whose body is long: it leaves piece by piece, as it comes.

While upstream takes what comes there is nothing to wait for but the caller, and then the
reply. In any other case a task goes on from where this has come (`fast_call.py`), and
reads the rest as it would in the main lane.

Rule 1: what is done without a task is what `Upload` does with a piece that comes.
Rule 2: the reply is answered here only when the whole body has left.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from gateway.engine.fast_call import CallConnection, FastCall
from gateway.engine.gate import Gate
from gateway.engine.known import Known
from gateway.engine.long_body import LongBody, Pausable
from gateway.engine.upload import Body, Upload


class UploadConnection(CallConnection, Pausable, Protocol):
    """What an upload needs of its connection."""


class FastUpload(FastCall):
    """A request whose head is here: `start` it, and let it `receive` what follows."""

    __slots__ = ("_source", "_upload")

    def __init__(
        self,
        connection: UploadConnection,
        gate: Gate,
        known: Known,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        FastCall.__init__(self, connection, gate, known, b"", loop)
        source = LongBody(connection, gate, known.length, loop)
        limits = self._outfit.limits
        self._source = source
        self._upload = Upload(source, source.payload, known.framing, limits, known.restore)

    @property
    def is_read(self) -> bool:
        """Tell whether all of the body has come."""
        return not self._source.left

    def start(self) -> None:
        """Ask upstream, and have it take what comes; or have a task do so."""
        super().start()
        if self._task is None and self._upstream is not None:
            self._source.pass_on(self._upload.passing_to(self._upstream), self._go_on)

    def receive(self, data: bytes) -> bytes:
        """Take what is the body's, and return what comes after it."""
        try:
            is_taken, rest = self._source.receive(data)
            if self._task is None:
                self._after_piece(is_taken=is_taken)
        except Exception as bug:
            if self._task is not None:
                # Its own border tells of it when the connection is lost for that.
                raise
            self._fail_by(bug)
            return b""
        return rest

    def close(self) -> None:
        """Wait for nothing more of the body."""
        self._source.close()

    def _after_piece(self, *, is_taken: bool) -> None:
        if not is_taken:
            self._go_on()
        elif self.is_read:
            self._upload.end()
            self._record.bytes_in = self._upload.size

    def _on_news(self) -> None:
        if self._task is not None:
            # It has not begun, and sees for itself.
            return
        if self.is_read:
            super()._on_news()
        else:
            # Whatever came, or did not, the caller is waited for.
            self._upload.waiting = True
            self._go_on()

    def _go_on(self) -> None:
        self._source.hold_back()
        try:
            super()._go_on()
        except Exception as bug:  # noqa: BLE001 (the same border, for who is not within it)
            self._fail_by(bug)

    def _upload_left(self) -> Body:
        return self._upload

    def _let_go(self) -> None:
        # Else a stall would be told of a request that is over.
        self._source.hold_back()
        self._record.bytes_in = self._upload.size
        super()._let_go()

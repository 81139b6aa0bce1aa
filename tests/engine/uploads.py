"""A caller's body as the engine reads it, for the tests of uploads."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from aiohttp.base_protocol import BaseProtocol
from aiohttp.streams import StreamReader

from gateway.config.model import Limits
from gateway.core.framing import Framing, Kind
from gateway.engine.inflow import Take
from gateway.engine.upload import Upload
from gateway.engine.wire import Wire
from gateway.errors import RequestTimeout

PATIENCE_S = 30.0
LIMITS = Limits(replay_body_bytes=10, max_body_bytes=100)


class Caller:
    """A caller's body as the engine reads it, fed by the test."""

    def __init__(self, *pieces: bytes, is_whole: bool = False) -> None:
        self._loop = asyncio.get_running_loop()
        self.take: Take | None = None
        self.payload = StreamReader(BaseProtocol(self._loop), 65536, loop=self._loop)
        cast(Any, self.payload)._protocol.transport = self
        for piece in pieces:
            self.payload.feed_data(piece)
        if is_whole:
            self.payload.feed_eof()

    def resume_reading(self) -> None:
        """Do nothing (the reader asks for more)."""

    async def read_body(
        self, payload: StreamReader, deadline: float, take: Take | None = None
    ) -> bytes:
        self.take = take
        try:
            async with asyncio.timeout_at(None if deadline == float("inf") else deadline):
                return await payload.readany()
        except TimeoutError:
            raise RequestTimeout("the body did not come in time") from None
        finally:
            self.take = None

    def give(self, piece: bytes) -> bool:
        """Send a piece; tell whether it was taken at once."""
        if self.take is not None and self.take(piece):
            return True
        self.take = None
        self.payload.feed_data(piece)
        return False

    def upload(self, framing: Framing, restore: Callable[[bytes], bytes] | None = None) -> Upload:
        return Upload(self, self.payload, framing, LIMITS, restore)


def of_length(size: int) -> Framing:
    return Framing(Kind.LENGTH, size)


class Times:
    """A gate, as far as it says how long nothing may come of a body."""

    def __init__(self, body_idle_s: float) -> None:
        self.timeouts = self
        self.body_idle_s = body_idle_s


class Paused:
    """A connection that takes note of whether it is read."""

    connected = True
    is_paused = False
    transport: Wire | None = None

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self, resume_parser: bool = True) -> None:
        self.is_paused = False

    def data_received(self, data: bytes) -> None:
        raise AssertionError(data)

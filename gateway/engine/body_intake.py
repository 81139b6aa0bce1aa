"""A request body in the main lane, from the connection to whoever reads it.

aiohttp's parser feeds a body to its reader. There is nothing to parse in a long body of
known length, so its bytes go past the parser, and while the reader waits for them, to
whoever takes them without a task.

Rule: a body that ends badly ends with an error for its reader.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from aiohttp import web
from aiohttp.http import HttpRequestParser
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import RequestHandler, RequestPayloadError

from gateway.config.model import Limits
from gateway.engine.body_source import BodySource
from gateway.engine.boundary import Boundary
from gateway.engine.incoming import Gate, Manager
from gateway.engine.wire import Wire
from gateway.errors import GatewayError

# Ten times what browsers send; each field costs memory and time of its own.
MAX_FIELDS = 1000


def bounds_of(limits: Limits) -> tuple[int, int]:
    """Return what of the limits stays as it is for the life of a connection."""
    return limits.max_head_bytes, limits.max_target_bytes


class BodyIntake(RequestHandler):
    """The bodies of one connection, one after the other."""

    __slots__ = (
        *("_boundary", "_discarding", "_gate", "_is_unparsed", "_limits", "_receiving", "bodies"),
    )

    def __init__(self, manager: Manager, gate: Gate, loop: asyncio.AbstractEventLoop) -> None:
        limits = gate.limits
        super().__init__(
            cast(web.Server, manager),
            loop=loop,
            keepalive_timeout=gate.timeouts.keepalive_s,
            access_log=cast(Any, None),
            max_line_size=limits.max_target_bytes,
            # `Boundary` bounds the head, so that a line too long is always the target's.
            max_field_size=limits.max_head_bytes,
            max_headers=MAX_FIELDS,
            lingering_time=0.0,
            read_bufsize=65536,
            auto_decompress=False,
        )
        self._gate = gate
        # Those of heads stay as they are for the life of the connection, as the parser's do.
        self._limits = limits
        self._boundary = Boundary(*bounds_of(limits))
        self._receiving: StreamReader = EMPTY_PAYLOAD
        # The body under way does not pass through the parser.
        self._is_unparsed = False
        self._discarding = False
        self.bodies = BodySource(gate, loop, self)

    def _pass_on(self, part: bytes) -> None:
        """Give bytes of a body to its reader, as aiohttp does those that it parses."""
        if self._force_close or self._close:
            return
        is_taken = self.bodies.is_taken(self._receiving, part)
        if not is_taken:
            self._receiving.feed_data(part)
        if self._boundary.in_body:
            if is_taken:
                self.bodies.splice()
            return
        self._is_unparsed = False
        # The one before waits for the body still.
        self._parser = HttpRequestParser(
            self,
            self._loop,
            self._read_bufsize,
            max_line_size=self.max_line_size,
            max_field_size=self.max_field_size,
            max_headers=self.max_headers,
            payload_exception=RequestPayloadError,
            auto_decompress=False,
        )
        self._receiving.feed_eof()

    # The side of the splice.

    @property
    def inlet(self) -> Wire | None:
        """Return where the body comes in, None when that is gone."""
        return cast("Wire | None", self.transport)

    @property
    def left(self) -> int:
        """Return how many bytes have not come yet of a body that is not parsed."""
        return self._boundary.left if self._is_unparsed else 0

    def let_by(self, size: int) -> None:
        """Take note that so many bytes came and have left."""
        self._boundary.skip(size)
        self.bodies.put_off()

    def put_back(self, data: bytes) -> None:
        """Hold what came and has not left."""
        self._boundary.skip(len(data))
        self._receiving.feed_data(data)

    def note_broken(self) -> None:
        """Do nothing: a caller that is gone is gone, however it went."""

    def _spoil_body(self, error: GatewayError) -> None:
        """Let whoever reads the body know that it will not be whole."""
        self._discarding = True
        self._receiving.set_exception(error)

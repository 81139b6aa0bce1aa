"""The accepting side: one aiohttp server per listening socket.

Every connection begins in the fast lane, unless that is switched off, and may be handed
over to the main lane. There aiohttp's `Server` keeps it as a `CallerConnection`, whose
limits are set by name and not by keywords that aiohttp would drop with a warning when it
does not know one.

Rule: refuse to start on aiohttp's pure-Python parser, which is another reader of HTTP.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import NO_EXTENSIONS
from aiohttp.http import HttpRequestParser, RawRequestMessage
from aiohttp.http_parser import HttpRequestParserPy
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from gateway.core.message import Listener
from gateway.engine.caller import CallerConnection
from gateway.engine.fast_connection import FastConnection
from gateway.engine.fast_lane import FastLane, LaneConnection
from gateway.engine.gate import Gate
from gateway.engine.incoming import Incoming
from gateway.engine.known_heads import KnownHeads
from gateway.errors import GatewayError


class Server(web.Server):
    """Makes connections for one listener."""

    def __init__(self, gate: Gate, listener: Listener) -> None:
        super().__init__(
            cast(Any, gate.handle),
            request_factory=cast(Any, self._make_incoming),
            handler_cancellation=True,
        )
        self._gate = gate
        self._listener = listener
        self.lane = FastLane(gate, listener, self._make_main)
        # The listener is closed: connections end with their answers.
        self.is_leaving = False

    def __call__(self) -> asyncio.Protocol:  # type: ignore[override]  # aiohttp narrows it
        """Return the protocol of a new connection (asyncio calls this)."""
        if self._gate.outfit.fast_lane:
            return FastConnection(self, self.lane, self._listener)
        return self._make_main()

    @property
    def heads(self) -> KnownHeads:
        """Return what is known of the heads that come by it."""
        return self.lane.heads()

    @property
    def is_empty(self) -> bool:
        """Tell whether it has no connection, in either lane."""
        return not self._all()

    def close_idle(self) -> None:
        """Close the connections that wait for a next request."""
        for connection in self._all():
            connection.close_if_idle()

    def refuse_heads(self, error: GatewayError) -> None:
        """Answer the requests whose heads are not whole."""
        for begun in tuple(self.lane.connections):
            begun.hand_over_begun()
        for connection in self.connections:
            cast(CallerConnection, connection).refuse_head(error)

    def abort(self) -> None:
        """Cut what is left."""
        for connection in self._all():
            connection.abort()

    def _make_incoming(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: RequestHandler,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> Incoming:
        """Return our request object (aiohttp calls this for each request)."""
        caller = cast(CallerConnection, protocol)
        return Incoming(message, payload, caller, self, caller.head_of(message))

    def _make_main(self, head_by: float | None = None) -> CallerConnection:
        return CallerConnection(self, self._gate, self._listener, self._loop, head_by=head_by)

    def _all(self) -> list[CallerConnection | LaneConnection]:
        fast = self.lane.connections
        return [*cast("list[CallerConnection]", self.connections), *fast]


def parser_kind() -> str:
    """Return "c" for llhttp, "python" for the parser that this gateway refuses."""
    pure = NO_EXTENSIONS or HttpRequestParser is cast(Any, HttpRequestParserPy)
    return "python" if pure else "c"

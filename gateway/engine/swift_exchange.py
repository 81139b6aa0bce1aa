"""A request of the main lane that came whole and whose head is known: one wait, for its reply.

Rule: whoever serves it gets what an `Exchange` would have done, byte for byte.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.core.framing import CHUNKS
from gateway.engine.events import Record
from gateway.engine.incoming import Call, Incoming
from gateway.engine.known import Known
from gateway.engine.swift import Swift
from gateway.engine.way import Outfit


def is_swift(incoming: Incoming, known: Known) -> bool:
    """Tell whether nothing but the reply has to be waited for, as far as the request tells."""
    request = known.plan.request
    if request.method == "HEAD" or request.version != b"HTTP/1.1" or request.expects_continue:
        return False
    return incoming.payload.is_eof() and request.framing.kind is not CHUNKS


class SwiftExchange(Swift):
    """Carries out what is known of one request."""

    __slots__ = ("_call", "_news")

    def __init__(
        self,
        call: Call,
        outfit: Outfit,
        known: Known,
        body: bytes,
        record: Record,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(outfit, known, body, record, loop)
        self._call = call
        self._news: asyncio.Future[None] = loop.create_future()

    async def run(self, is_ending: Callable[[Call], bool]) -> bool:
        """Serve the request; return whether the caller's connection may be kept.

        `is_ending` tells that it may not, whatever the caller asked for.
        """
        call = self._call
        try:
            if self._set_out(self._on_news):
                await self._news
                close = call.is_last
                if not is_ending(call) and self._answer(call.connection, close=close):
                    await call.connection.drain()
                    return not close
            exchange, begun = self._hand_on(call)
        except BaseException:
            self._let_go()
            raise
        return await exchange.run(self._way, lambda: is_ending(call), begun)

    def _on_news(self) -> None:
        if not self._news.done():
            self._news.set_result(None)

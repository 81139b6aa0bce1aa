"""Who waits for news of a reply, until when, and what has gone wrong.

Either a task waits, or a call is made without one. There is one at a time.

Rule 1: a failure is kept, and told to whoever waits; the first one counts.
Rule 2: what the news is, this does not know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.engine.watch import Watch
from gateway.errors import GatewayError, UpstreamTimeout

NO_REPLY = "upstream sent no reply in time (timeouts.first_byte_s)"


class ReplyNews:
    """The waiting part of an upstream connection."""

    _failure: GatewayError | None

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._watch = Watch(loop)
        self._waiter: asyncio.Future[None] | None = None
        self._on_news: Callable[[], None] | None = None
        self._failure = None

    def expect(self, deadline: float, on_news: Callable[[], None]) -> None:
        """Call back, once, when there is news of the reply or `deadline` comes."""
        self._on_news = on_news
        if self._failure is not None:
            self._loop.call_soon(self._wake)
            return
        self._watch.set(deadline, self._time_out)

    def fail(self, error: GatewayError) -> None:
        """End the exchange with `error`, once; whoever waits gets it."""
        if self._failure is None:
            self._failure = error
        self._wake()

    async def _wait(self, deadline: float, timeout_message: str) -> None:
        # Who waits is told, and nobody else.
        self._on_news = None
        self._watch.set(deadline, lambda: self.fail(UpstreamTimeout(timeout_message)))
        try:
            await self._woken()
        finally:
            self._watch.clear()

    async def _woken(self) -> None:
        """Wait until something has come, or raise what has gone wrong."""
        if self._failure is not None:
            raise self._failure
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._on_news is not None:
            on_news, self._on_news = self._on_news, None
            self._watch.clear()
            on_news()
        elif self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _forget_all(self) -> None:
        """Tell nobody of anything any more."""
        self._on_news = None
        self._watch.close()

    def _time_out(self) -> None:
        self.fail(UpstreamTimeout(NO_REPLY))

"""A request that is all here, on its shortest way: asked at once, answered when its reply is whole.

When a token and an idle connection are at hand, and the reply comes whole and is the
caller's, there is nothing to wait for but the reply. In any other case an `Exchange` goes
on from where this has come.

Rule 1: nothing is decided here that is not decided in the same words by an exchange.
Rule 2: what has been paid for, taken or asked is handed on, or settled here; once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from gateway.core.chunked import LAST_CHUNK, render_chunk
from gateway.core.framing import CHUNKS, LENGTH, Framing, framing_of
from gateway.credentials.tokens import Token
from gateway.engine.events import Record
from gateway.engine.exchange import Exchange, begin_answer
from gateway.engine.incoming import Call, Connection
from gateway.engine.known import Known
from gateway.engine.relinking import relink_whole
from gateway.engine.upload import Body, WholeUpload, restore_whole
from gateway.engine.upstream import UpstreamConnection
from gateway.engine.way import Begun, Outfit
from gateway.engine.wire import WHOLE
from gateway.policy.rates import Spent


class Swift:
    """What is done of one request without a wait; a subclass waits, and hears of news."""

    __slots__ = (
        *("_asked_at", "_body", "_deadline", "_known", "_loop", "_outfit", "_record"),
        *("_spent", "_token", "_upstream", "_way"),
    )

    def __init__(
        self,
        outfit: Outfit,
        known: Known,
        body: bytes,
        record: Record,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._outfit = outfit
        self._way = outfit.ways[known.upstream]
        self._known = known
        self._body = body
        self._record = record
        self._loop = loop
        self._token: Token | None = None
        self._spent: Spent | None = None
        self._upstream: UpstreamConnection | None = None
        self._asked_at = 0.0
        self._deadline = 0.0

    def _set_out(self, on_news: Callable[[], None]) -> bool:
        """Ask upstream, if that can be done now; tell whether it was.

        `on_news` hears, once, that something of the reply has come, or that nothing will.
        """
        now = self._loop.time()
        self._deadline = now + self._outfit.policy.first_byte_s
        way, known = self._way, self._known
        if way.credential is not None:
            self._token = way.credential.ready()
            if self._token is None:
                return False
        self._spent = way.toll.pay_now(known.fare, now)
        upstream = way.pool.take() if self._spent is not None else None
        if upstream is None:
            return False
        self._ask(upstream)
        upstream.expect(self._deadline, on_news)
        return True

    def _ask(self, upstream: UpstreamConnection) -> None:
        known, record = self._known, self._record
        way = self._way
        way.budget.earned += 1
        self._upstream = upstream
        self._asked_at = time.monotonic()
        record.attempts = 1
        record.queue_s = self._asked_at - record.started
        body, framing = self._body, known.framing.line
        record.bytes_in = len(body)
        # A body that is not here yet is too long to be restored.
        if known.restore is not None and body:
            body = restore_whole(body, self._outfit.replay_body_bytes, known.restore)
            if len(body) != known.length:
                framing = framing_of(len(body)).line
        credential = way.credential_line.render(known.scheme, self._token)
        data = b"".join((known.start, framing, credential, b"\r\n", body))
        upstream.ask(known.method, data, len(self._body) == known.length)

    def _answer(self, connection: Connection, *, close: bool) -> bool:
        """Answer with a reply that is whole and wants nothing; tell whether that could be done."""
        upstream, known, record = self._upstream, self._known, self._record
        reply = upstream.whole_reply() if upstream is not None else None
        if upstream is None or reply is None:
            return False
        head, links = reply[0], known.links
        if head.status == 401 or head.status >= 429:
            return False
        answer = reply if links is None else relink_whole(head, reply[1], links, known)
        if answer is None:
            return False
        told, data = answer
        record.upstream_first_byte_s = record.upstream_s = time.monotonic() - self._asked_at
        pieces, framing = begin_answer(known.replies, told, record, close=close)
        if framing.kind is LENGTH and framing.length:
            record.bytes_out = framing.length
            pieces.append(data)
        else:
            pieces.append(self._framed(bytes(data), framing))
        connection.write(b"".join(pieces), WHOLE)
        self._upstream = None
        self._way.pool.release(upstream)
        spent, self._spent = self._spent, None
        if spent is not None:
            self._way.toll.settle(spent, head)
        if (on_use := self._way.on_use) is not None:
            on_use()
        return True

    def _framed(self, data: bytes, framing: Framing) -> bytes:
        if not framing.has_body:
            return b""
        self._record.bytes_out = len(data)
        if framing.kind is not CHUNKS:
            return data
        return (render_chunk(data) if data else b"") + LAST_CHUNK

    def _hand_on(self, call: Call) -> tuple[Exchange, Begun]:
        """Return what goes on from here, and what it begins with."""
        plan, upload = self._known.plan.due(self._deadline), self._upload_left()
        exchange = Exchange(call, plan, self._record, upload, self._outfit.timeouts.idle_s)
        return exchange, Begun(self._spent, self._token, self._upstream, self._asked_at)

    def _upload_left(self) -> Body:
        """Return the body as it goes on from here."""
        known = self._known
        upload = WholeUpload(self._body, known.framing, self._outfit.limits, known.restore)
        if self._upstream is not None:
            upload.begin()
        return upload

    def _let_go(self) -> None:
        """Give back what was taken: the request ends here."""
        if self._upstream is not None:
            self._upstream.abort()
            self._record.upstream_s = time.monotonic() - self._asked_at
        if self._spent is not None:
            self._way.toll.release(self._spent, sent=self._upstream is not None)
        self._upstream = self._spent = None

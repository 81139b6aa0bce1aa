"""One request carried out: token, upload, connection, reply, relay.

The plan says what; this says when. Nothing is decided here but what only time can tell:
whether an attempt failed in a way that `policy.retries` lets be repeated, and whose
fault it was that the deadline passed.

Rule 1: an upstream connection goes back to the pool only after a clean end of both bodies.
Rule 2: whatever ends an exchange early, the upstream connection is cut, so that a request
        that is not complete cannot look so.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial

from gateway.config.model import Limits, Timeouts
from gateway.core.framing import Kind
from gateway.core.headers import Field, values_of
from gateway.core.message import OutboundField, ReplyHead
from gateway.core.secret import Secret
from gateway.credentials.tokens import Credential, Token
from gateway.engine.events import Record
from gateway.engine.incoming import Incoming
from gateway.engine.pool import Pool
from gateway.engine.relay import discard_body, relay_reply, render_reply_head
from gateway.engine.upload import Upload
from gateway.engine.upstream import UpstreamConnection
from gateway.errors import GatewayError, RequestTimeout, UpstreamBroken, UpstreamTimeout
from gateway.policy.forward import Plan
from gateway.policy.reply import frame_for_caller, reply_fields
from gateway.policy.retries import Attempt, may_retry
from gateway.policy.routes import Scheme

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Exchange:
    """Carries out one plan; from the moment that it sets `record.status`, the head is sent."""

    def __init__(
        self, incoming: Incoming, plan: Plan, record: Record, limits: Limits, timeouts: Timeouts
    ) -> None:
        self._incoming = incoming
        self._connection = incoming.connection
        self._plan = plan
        self._record = record
        self._timeouts = timeouts
        self._upload = Upload(incoming, plan.framing, limits)
        self._streaming: asyncio.Task[None] | None = None
        self._asked_at = 0.0

    async def run(
        self, pool: Pool, credential: Credential | None, closing: Callable[[], bool]
    ) -> bool:
        """Serve the request; return whether the caller's connection may be kept.

        `closing` tells, when the head leaves, that it may not, whatever the caller asked for.
        """
        token = await credential.current(self._plan.deadline) if credential else None
        if self._plan.request.expects_continue and not self._upload.is_read:
            self._connection.write(_CONTINUE)
        try:
            await self._upload.gather(self._plan.deadline)
            upstream, head = await self._obtain(pool, credential_fields(self._plan, token))
            try:
                keep = await self._relay(upstream, head, close=closing())
            except BaseException:
                upstream.abort()
                raise
            if not self._plan.wants_body:
                await discard_body(upstream, head.framing)
            self._settle(pool, upstream)
        finally:
            await self._stop_streaming()
            self._record.bytes_in = self._upload.size
            if self._asked_at:
                self._record.upstream_s = time.monotonic() - self._asked_at
        return keep

    async def _obtain(
        self, pool: Pool, credentials: tuple[OutboundField, ...]
    ) -> tuple[UpstreamConnection, ReplyHead]:
        """Return a connection with the head of its reply, after as many attempts as allowed."""
        while True:
            self._record.attempts += 1
            number = self._record.attempts
            upstream = await pool.acquire(self._plan.deadline, fresh=number > 1)
            is_reused = upstream.uses > 0
            try:
                return upstream, await self._ask(upstream, credentials)
            except BaseException as error:
                upstream.abort()
                await self._stop_streaming()
                attempt = Attempt(number, is_reused, upstream.reply_started, self._upload.is_held)
                if not isinstance(error, UpstreamBroken) or not may_retry(self._plan, attempt):
                    raise

    async def _ask(
        self, upstream: UpstreamConnection, credentials: tuple[OutboundField, ...]
    ) -> ReplyHead:
        """Send the request and return the head of its reply."""
        head = self._plan.outbound.render(self._upload.fields + credentials)
        self._asked_at = time.monotonic()
        self._record.queue_s = self._asked_at - self._record.started
        upstream.ask(self._plan.outbound.method.decode(), head + self._upload.begin())
        if not self._upload.is_sent:
            self._streaming = asyncio.create_task(self._upload.stream(upstream))
            self._streaming.add_done_callback(partial(_report_failure, upstream))
        try:
            reply = await upstream.read_head(self._plan.deadline)
        except UpstreamTimeout:
            if self._upload.waiting:
                raise RequestTimeout("the body did not come before the deadline") from None
            raise
        self._record.upstream_first_byte_s = time.monotonic() - self._asked_at
        return reply

    async def _relay(self, upstream: UpstreamConnection, head: ReplyHead, *, close: bool) -> bool:
        """Send the reply on; return whether the caller's connection may be kept."""
        plan, record, message = self._plan, self._record, self._incoming.message
        framing, framing_fields = frame_for_caller(plan, head)
        keep = not (
            close
            or message.should_close
            # A declined upgrade leaves aiohttp's parser unsure of what follows it.
            or message.upgrade
            or framing.kind is Kind.CLOSE
            or not self._incoming.payload.is_eof()
        )
        fields = reply_fields(plan, head, record.request_id.encode()) + framing_fields
        fields += _persistence(keep, plan.request.version)
        record.status = record.upstream_status = head.status
        record.rc_request_id = _first(head, b"rcrequestid")
        await relay_reply(
            self._connection,
            upstream,
            render_reply_head(head, fields),
            framing,
            self._timeouts.idle_s,
            record,
        )
        return keep

    def _settle(self, pool: Pool, upstream: UpstreamConnection) -> None:
        """Give the connection back if the request, too, was sent to its end."""
        if self._upload.is_sent:
            pool.release(upstream)
        else:
            upstream.abort()

    async def _stop_streaming(self) -> None:
        """Stop the upload, and wait until it has let go of the caller's body."""
        streaming, self._streaming = self._streaming, None
        if streaming is not None and not streaming.done():
            streaming.cancel()
            await asyncio.wait((streaming,))


def credential_fields(plan: Plan, token: Token | None) -> tuple[OutboundField, ...]:
    """Return the field that carries the gateway's own credential, if it has one."""
    if token is None:
        return ()
    if plan.upstream.scheme is Scheme.X_AUTH_TOKEN:
        return ((b"X-Auth-Token", token.value),)
    return ((b"Authorization", Secret(b"Bearer " + token.value.reveal())),)


def _report_failure(upstream: UpstreamConnection, streaming: asyncio.Task[None]) -> None:
    """Wake whoever waits for the reply when the upload cannot be completed."""
    error = None if streaming.cancelled() else streaming.exception()
    if isinstance(error, GatewayError):
        upstream.fail(error)
    elif error is not None:
        upstream.fail(UpstreamBroken("the request body could not be sent"))


def _persistence(keep: bool, version: bytes) -> tuple[Field, ...]:
    """Return what tells the caller whether the connection stays (RFC 9112 section 9.3)."""
    if not keep:
        return ((b"Connection", b"close"),)
    return ((b"Connection", b"keep-alive"),) if version == b"HTTP/1.0" else ()


def _first(head: ReplyHead, name: bytes) -> str:
    values = values_of(head.fields, name)
    return values[0][:128].decode("ascii", "replace") if values else ""

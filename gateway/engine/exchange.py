"""One request carried out: token, upload, attempts, reply, relay.

The plan says what; this says when. Nothing is decided here.

Rule 1: an upstream connection goes back to the pool only after a clean end of both bodies.
Rule 2: whatever ends an exchange early, the upstream connection is cut, so that a request
        that is not complete cannot look so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gateway.config.model import Limits, Timeouts
from gateway.core.framing import NO_BODY, Kind
from gateway.core.headers import Field, values_of
from gateway.core.message import ReplyHead
from gateway.engine.attempts import Attempts, Way
from gateway.engine.events import Record
from gateway.engine.incoming import Incoming
from gateway.engine.relay import discard_body, relay_reply, render_reply_head
from gateway.engine.relinking import relink
from gateway.engine.upload import Upload
from gateway.engine.upstream import UpstreamConnection
from gateway.policy.forward import Plan
from gateway.policy.relink import restorer_for
from gateway.policy.reply import frame_for_caller, reply_fields

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
        restore = restorer_for(plan.request, plan.restored)
        self._upload = Upload(incoming, plan.framing, limits, restore)

    async def run(self, way: Way, closing: Callable[[], bool]) -> bool:
        """Serve the request; return whether the caller's connection may be kept.

        `closing` tells, when the head leaves, that it may not, whatever the caller asked for.
        """
        attempts = Attempts(self._plan, self._upload, self._record, way)
        try:
            await attempts.prepare()
            if self._plan.request.expects_continue and not self._upload.is_read:
                self._connection.write(_CONTINUE)
            await self._upload.gather(self._plan.deadline)
            upstream, head = await attempts.obtain()
            try:
                keep = await self._relay(upstream, head, close=closing())
            except BaseException:
                upstream.abort()
                raise
            if not self._plan.wants_body:
                await discard_body(upstream, head.framing)
            attempts.settle(upstream)
        finally:
            await attempts.close()
            self._record.bytes_in = self._upload.size
        return keep

    async def _relay(self, upstream: UpstreamConnection, head: ReplyHead, *, close: bool) -> bool:
        """Send the reply on; return whether the caller's connection may be kept."""
        plan, record, message = self._plan, self._record, self._incoming.message
        if not plan.wants_body:
            head = replace(head, framing=NO_BODY)
        head, body = await relink(head, upstream, plan.links, self._timeouts.idle_s)
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
            body,
            render_reply_head(head, fields),
            framing,
            self._timeouts.idle_s,
            record,
        )
        return keep


def _persistence(keep: bool, version: bytes) -> tuple[Field, ...]:
    """Return what tells the caller whether the connection stays (RFC 9112 section 9.3)."""
    if not keep:
        return ((b"Connection", b"close"),)
    return ((b"Connection", b"keep-alive"),) if version == b"HTTP/1.0" else ()


def _first(head: ReplyHead, name: bytes) -> str:
    values = values_of(head.fields, name)
    return values[0][:128].decode("ascii", "replace") if values else ""

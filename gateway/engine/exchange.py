"""One request carried out: token, upload, attempts, reply, relay.

The plan says what; this says when. Nothing is decided here.

Rule 1: an upstream connection goes back to the pool only after a clean end of both bodies.
Rule 2: whatever ends an exchange early, the upstream connection is cut, so that a request
        that is not complete cannot look so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import cast

from gateway.core.framing import NO_BODY, Framing
from gateway.core.links import Lent
from gateway.core.message import ReplyHead
from gateway.engine.attempts import Attempts
from gateway.engine.events import Record
from gateway.engine.incoming import Call
from gateway.engine.recording import show_id
from gateway.engine.relay import discard_body, relay_reply
from gateway.engine.relinking import relink
from gateway.engine.upload import Body
from gateway.engine.upstream import UpstreamConnection
from gateway.engine.way import Begun, Way
from gateway.policy.forward import Plan
from gateway.policy.reply import ReplyHeads, ends_connection

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Exchange:
    """Carries out one plan; from the moment that it sets `record.status`, the head is sent."""

    def __init__(self, call: Call, plan: Plan, record: Record, upload: Body, idle_s: float) -> None:
        self._call = call
        self._plan = plan
        self._record = record
        self._upload = upload
        self._idle_s = idle_s

    async def run(self, way: Way, closing: Callable[[], bool], begun: Begun | None = None) -> bool:
        """Serve the request; return whether the caller's connection may be kept.

        `closing` tells, when the head leaves, that it may not, whatever the caller asked for.
        `begun` is what has been done of it already.
        """
        attempts = Attempts(self._plan, self._upload, self._record, way, begun)
        is_answered = False
        try:
            if begun is None or begun.upstream is None:
                await attempts.prepare()
                if self._plan.request.expects_continue and not self._upload.is_read:
                    self._call.connection.write(_CONTINUE)
                await self._upload.gather(self._plan.deadline)
            upstream, head = await attempts.obtain()
            try:
                keep = await self._relay(upstream, head, close=closing())
            except BaseException:
                upstream.abort()
                raise
            is_answered = True
            if self._plan.wants_body or await self._discard(upstream, head.framing):
                attempts.settle(upstream)
        finally:
            await self._close(attempts, is_answered=is_answered)
        return keep

    async def _discard(self, upstream: UpstreamConnection, framing: Framing) -> bool:
        """Let a body end that is nobody's; False when the caller, who had its answer, is gone."""
        try:
            await discard_body(upstream, framing)
        except asyncio.CancelledError:
            upstream.abort()
            cast("asyncio.Task[None]", asyncio.current_task()).uncancel()
            return False
        except BaseException:
            upstream.abort()
            raise
        return True

    async def _close(self, attempts: Attempts, *, is_answered: bool) -> None:
        """Let go of what is left; who goes away by now is not gone before its answer."""
        try:
            await attempts.close()
        except asyncio.CancelledError:
            if not is_answered:
                raise
            cast("asyncio.Task[None]", asyncio.current_task()).uncancel()
        finally:
            self._record.bytes_in = self._upload.size

    async def _relay(self, upstream: UpstreamConnection, head: ReplyHead, *, close: bool) -> bool:
        """Send the reply on; return whether the caller's connection may be kept."""
        plan = self._plan
        if not plan.wants_body:
            head = replace(head, framing=NO_BODY)
        head, body = await relink(head, upstream, plan.links, plan, self._idle_s)
        close = close or self._call.is_last or not self._call.is_read
        pieces, framing = begin_answer(ReplyHeads(plan), head, self._record, close=close)
        answer = b"".join(pieces)
        await relay_reply(self._call.connection, body, answer, framing, self._idle_s, self._record)
        return not ends_connection(framing, close=close)


def begin_answer(
    heads: ReplyHeads, head: ReplyHead, record: Record, *, close: bool
) -> tuple[list[Lent], Framing]:
    """Return the head in pieces, and how the body leaves; the record has it that they are sent."""
    record.status = record.upstream_status = head.status
    found = head.places.by_name.get(b"rcrequestid")
    if found is not None:
        record.rc_request_id = show_id(head.field_values[found[0]])
    return heads.render(head, record.request_id, close=close)

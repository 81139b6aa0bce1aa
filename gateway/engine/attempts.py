"""From a plan to the head of its reply, by as many attempts as are right.

An attempt takes a connection, sends the request with the current token and reads the
head. It is repeated when `policy.retries` says so, and once more when the answer says that
the token was not good: the credential then has another one.

Rule 1: a body is sent again only while all that was read of it is held, and none is read
        between the decision and the next attempt.
Rule 2: whatever ends an attempt early cuts its connection.
Rule 3: what only time can tell is told here: whose fault it was that the deadline passed.
"""

from __future__ import annotations

import asyncio
import random
import time
from functools import partial

from gateway.core.message import ReplyHead
from gateway.engine.events import Record
from gateway.engine.refusal import refuses_token
from gateway.engine.upload import Body
from gateway.engine.upstream import UpstreamConnection
from gateway.engine.way import Begun, Way
from gateway.engine.wire import join_short
from gateway.errors import (
    GatewayError,
    RequestTimeout,
    UpstreamBroken,
    UpstreamFailed,
    UpstreamTimeout,
)
from gateway.policy.forward import Plan
from gateway.policy.rate_fields import parse_retry_after
from gateway.policy.rate_groups import Fare
from gateway.policy.rates import Spent
from gateway.policy.retries import Attempt, Failure, judge_attempt

_NOTHING_BEGUN = Begun()


class Attempts:
    """The attempts of one exchange."""

    def __init__(
        self, plan: Plan, upload: Body, record: Record, way: Way, begun: Begun | None = None
    ) -> None:
        begun = begun or _NOTHING_BEGUN
        self._plan = plan
        self._upload = upload
        self._record = record
        self._way = way
        self._token = begun.token
        # Paid for, and not settled yet.
        self._spent = begun.spent
        # The connection of an attempt that was made already.
        self._asked = begun.upstream
        self._is_replaced = False
        # Attempts that `policy.retries` counts; the one with another token is not one of them.
        self._number = 1 if begun.upstream is not None else 0
        self._fresh = False
        self._streaming: asyncio.Task[None] | None = None
        self._asked_at = begun.asked_at

    async def prepare(self) -> None:
        """Be let through and have a token; raises `RateShield` or `CredentialUnavailable`."""
        if self._spent is None:
            self._spent = await self._pay()
        credential = self._way.credential
        if credential is not None and self._token is None:
            self._token = credential.ready() or await credential.current(self._plan.deadline)

    async def obtain(self) -> tuple[UpstreamConnection, ReplyHead]:
        """Return a connection with the head of the reply that the caller is to get."""
        if self._asked is None:
            self._way.budget.earned += 1
        while True:
            upstream = self._asked or await self._open()
            if upstream is not None:
                head = await self._try(upstream)
                if head is not None:
                    return upstream, head

    async def _try(self, upstream: UpstreamConnection) -> ReplyHead | None:
        """Return the head of the caller's reply, or None when there is to be another attempt."""
        try:
            if self._asked is None:
                self._ask(upstream)
            if not self._upload.is_sent:
                self._stream(upstream)
            self._asked = None
            head = await self._read_head(upstream)
            self._settle_toll(head)
            self._note_use(head)
            if await self._is_final(upstream, head):
                return head
            self.settle(upstream)
        except BaseException as error:
            upstream.abort()
            await self.stop()
            self._release_toll(sent=True)
            if not isinstance(error, UpstreamBroken | UpstreamTimeout):
                raise
            failure = Failure.BROKEN if isinstance(error, UpstreamBroken) else Failure.TIMEOUT
            attempt = self._attempt(
                failure,
                connection_reused=upstream.uses > 1,
                reply_started=upstream.reply_started,
            )
            if not await self._may_repeat(attempt):
                raise
            self._fresh = True
        return None

    def settle(self, upstream: UpstreamConnection) -> None:
        """Give a connection back if the request, too, was sent to its end; cut it if not."""
        if self._upload.is_sent:
            self._way.pool.release(upstream)
        else:
            upstream.abort()

    async def close(self) -> None:
        """Let go of what is left, whatever ended the exchange."""
        await self.stop()
        self._release_toll(sent=False)

    async def stop(self) -> None:
        """Stop the upload, and wait until it has let go of the caller's body."""
        if self._asked_at:
            self._record.upstream_s = time.monotonic() - self._asked_at
        streaming, self._streaming = self._streaming, None
        if streaming is not None and not streaming.done():
            self._upload.stop()
            streaming.cancel()
            await asyncio.wait((streaming,))

    async def _forget_asked(self) -> None:
        """Stop an attempt that is to be repeated: until then nothing is under way upstream."""
        await self.stop()
        self._asked_at, self._record.upstream_s = 0.0, None

    async def _open(self) -> UpstreamConnection | None:
        """Begin an attempt: pay, and return a connection, None when the next one may have it."""
        self._number += 1
        self._record.attempts += 1
        if self._spent is None:
            self._spent = await self._pay()
        return await self._connect()

    async def _pay(self) -> Spent:
        """Be let through, at once when nothing is in the way."""
        toll = self._way.toll
        now = asyncio.get_running_loop().time()
        return toll.pay_now(Fare(self._plan.permitted), now) or await toll.pay(self._plan)

    def _ask(self, upstream: UpstreamConnection) -> None:
        """Send the request, or what is here of it."""
        credential = self._way.credential_line.render(self._plan.scheme, self._token)
        head = self._plan.outbound.render(self._upload.framing_line + credential)
        self._asked_at = time.monotonic()
        self._record.queue_s = self._asked_at - self._record.started
        first, *others = join_short(head, self._upload.begin())
        upstream.ask(self._plan.outbound.method.decode(), first)
        for piece in others:
            upstream.write(piece)

    def _stream(self, upstream: UpstreamConnection) -> None:
        """Send the rest of the body while the reply is waited for."""
        self._streaming = asyncio.create_task(self._upload.stream(upstream))
        self._streaming.add_done_callback(partial(_report_failure, upstream))

    async def _read_head(self, upstream: UpstreamConnection) -> ReplyHead:
        """Return the head of the reply."""
        try:
            reply = await upstream.read_head(self._plan.deadline)
        except UpstreamTimeout:
            if self._upload.waiting:
                raise RequestTimeout("the body did not come before the deadline") from None
            raise
        self._record.upstream_first_byte_s = time.monotonic() - self._asked_at
        return reply

    async def _connect(self) -> UpstreamConnection | None:
        """Return a connection, or None when the next attempt may have one."""
        try:
            return await self._way.pool.acquire(self._plan.deadline, fresh=self._fresh)
        except UpstreamFailed as error:
            self._release_toll(sent=False)
            is_hopeless = error.is_settled or self._way.pool.circuit.is_open
            attempt = self._attempt(Failure.CONNECT, sent=error.sent)
            if is_hopeless or not await self._may_repeat(attempt):
                raise
            return None

    def _settle_toll(self, head: ReplyHead) -> None:
        spent, self._spent = self._spent, None
        if spent is not None:
            self._way.toll.settle(spent, head)

    def _note_use(self, head: ReplyHead) -> None:
        """Have the credential hear that upstream took its token, as far as the status tells."""
        if (on_use := self._way.on_use) is not None and head.status != 401 and head.status < 500:
            on_use()

    def _release_toll(self, *, sent: bool) -> None:
        spent, self._spent = self._spent, None
        if spent is not None:
            self._way.toll.release(spent, sent=sent)

    async def _is_final(self, upstream: UpstreamConnection, head: ReplyHead) -> bool:
        """Tell whether the reply is the caller's; otherwise all is ready for another attempt.

        The upload is then stopped, with all that was read of it held.
        """
        if head.status == 401:
            return not await self._is_refused(upstream, head)
        if head.status < 429:
            return True
        attempt = self._attempt(
            Failure.STATUS,
            reply_started=True,
            status=head.status,
            retry_after_s=parse_retry_after(head.first(b"retry-after"), time.time()),
        )
        return not await self._may_repeat(attempt)

    async def _is_refused(self, upstream: UpstreamConnection, head: ReplyHead) -> bool:
        """Tell whether to ask again with another token, which is then here."""
        credential, token, place = self._way.credential, self._token, self._plan.outbound.path
        if credential is None or token is None:
            return False
        if not await refuses_token(upstream, head, self._plan.deadline):
            return False
        if self._is_replaced:
            credential.acquit(place)
            return False
        if not credential.refuse(token, place) or not self._upload.is_held:
            return False
        await self._forget_asked()
        self._is_replaced = True
        self._number -= 1
        self._record.retries += ("token",)
        self._token = await credential.current(self._plan.deadline)
        return True

    def _attempt(
        self,
        failure: Failure,
        *,
        connection_reused: bool = False,
        sent: bool = True,
        reply_started: bool = False,
        status: int = 0,
        retry_after_s: float | None = None,
    ) -> Attempt:
        return Attempt(
            self._number,
            failure,
            self._plan.deadline - asyncio.get_running_loop().time(),
            connection_reused=connection_reused,
            sent=sent,
            reply_started=reply_started,
            body_held=self._upload.is_held,
            status=status,
            retry_after_s=retry_after_s,
        )

    async def _may_repeat(self, attempt: Attempt) -> bool:
        """Tell whether to try again, after the wait that this takes."""
        way = self._way
        verdict = judge_attempt(
            attempt,
            way.rules,
            way.budget,
            asyncio.get_running_loop().time(),
            idempotent=self._plan.idempotent,
            jitter=random.random(),  # noqa: S311 - spreads load, guards nothing
        )
        if verdict.retry:
            # What comes during the wait must stay for the next attempt.
            await self._forget_asked()
            self._record.retries += (verdict.reason,)
            await asyncio.sleep(verdict.wait_s)
        return verdict.retry


def _report_failure(upstream: UpstreamConnection, streaming: asyncio.Task[None]) -> None:
    """Wake whoever waits for the reply when the upload cannot be completed."""
    error = None if streaming.cancelled() else streaming.exception()
    if isinstance(error, GatewayError):
        upstream.fail(error)
    elif error is not None:
        upstream.fail(UpstreamBroken("the request body could not be sent"))

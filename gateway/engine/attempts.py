"""From a plan to the head of its reply, by as many attempts as are right.

An attempt takes a connection, sends the request with the current token and reads the
head. It is repeated when `policy.retries` says so, and once when the answer says that
the token was not good: the credential then has another one.

Rule 1: a body is sent again only while all that was sent of it is held.
Rule 2: whatever ends an attempt early cuts its connection.
Rule 3: what only time can tell is told here: whose fault it was that the deadline passed.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial

from gateway.core.message import OutboundField, ReplyHead
from gateway.core.secret import Secret
from gateway.credentials.tokens import Credential, Token
from gateway.engine.events import Record
from gateway.engine.pool import Pool
from gateway.engine.refusal import refuses_token
from gateway.engine.upload import Upload
from gateway.engine.upstream import UpstreamConnection
from gateway.errors import GatewayError, RequestTimeout, UpstreamBroken, UpstreamTimeout
from gateway.policy.forward import Plan
from gateway.policy.retries import Attempt, may_retry
from gateway.policy.routes import Scheme


class Attempts:
    """The attempts of one exchange."""

    def __init__(
        self,
        plan: Plan,
        upload: Upload,
        record: Record,
        pool: Pool,
        credential: Credential | None,
    ) -> None:
        self._plan = plan
        self._upload = upload
        self._record = record
        self._pool = pool
        self._credential = credential
        self._token: Token | None = None
        self._is_replaced = False
        self._streaming: asyncio.Task[None] | None = None
        self._asked_at = 0.0

    async def prepare(self) -> None:
        """Have a token, or raise `CredentialUnavailable`."""
        credential = self._credential
        if credential is not None:
            self._token = credential.ready() or await credential.current(self._plan.deadline)

    async def obtain(self) -> tuple[UpstreamConnection, ReplyHead]:
        """Return a connection with the head of the reply that the caller is to get."""
        fresh = False
        while True:
            self._record.attempts += 1
            upstream = await self._pool.acquire(self._plan.deadline, fresh=fresh)
            is_reused = upstream.uses > 0
            try:
                head = await self._ask(upstream)
                if not await self._is_refused(upstream, head):
                    return upstream, head
                await self.stop()
                self.settle(upstream)
            except BaseException as error:
                upstream.abort()
                await self.stop()
                attempt = Attempt(
                    self._record.attempts, is_reused, upstream.reply_started, self._upload.is_held
                )
                if not isinstance(error, UpstreamBroken) or not may_retry(self._plan, attempt):
                    raise
                fresh = True

    def settle(self, upstream: UpstreamConnection) -> None:
        """Give a connection back if the request, too, was sent to its end; cut it if not."""
        if self._upload.is_sent:
            self._pool.release(upstream)
        else:
            upstream.abort()

    async def stop(self) -> None:
        """Stop the upload, and wait until it has let go of the caller's body."""
        if self._asked_at:
            self._record.upstream_s = time.monotonic() - self._asked_at
        streaming, self._streaming = self._streaming, None
        if streaming is not None and not streaming.done():
            streaming.cancel()
            await asyncio.wait((streaming,))

    async def _ask(self, upstream: UpstreamConnection) -> ReplyHead:
        """Send the request and return the head of its reply."""
        credentials = credential_fields(self._plan, self._token)
        head = self._plan.outbound.render(self._upload.fields + credentials)
        self._asked_at = time.monotonic()
        self._record.queue_s = self._asked_at - self._record.started
        upstream.ask(self._plan.request.method, head + self._upload.begin())
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

    async def _is_refused(self, upstream: UpstreamConnection, head: ReplyHead) -> bool:
        """Tell whether to ask again with another token, which is then here."""
        credential, token = self._credential, self._token
        if credential is None or token is None or self._is_replaced:
            return False
        if not await refuses_token(upstream, head, self._plan.deadline):
            return False
        if not credential.refuse(token) or not self._upload.is_held:
            return False
        self._is_replaced = True
        self._token = await credential.current(self._plan.deadline)
        return True


def credential_fields(plan: Plan, token: Token | None) -> tuple[OutboundField, ...]:
    """Return the field that carries the gateway's own credential, if it has one."""
    if token is None:
        return ()
    value = token.value.reveal()
    match plan.scheme:
        case Scheme.X_AUTH_TOKEN:
            return ((b"X-Auth-Token", token.value),)
        case Scheme.COOKIE:
            return ((b"Cookie", Secret(b"access_token=" + value)),)
        case _:
            return ((b"Authorization", Secret(b"Bearer " + value)),)


def _report_failure(upstream: UpstreamConnection, streaming: asyncio.Task[None]) -> None:
    """Wake whoever waits for the reply when the upload cannot be completed."""
    error = None if streaming.cancelled() else streaming.exception()
    if isinstance(error, GatewayError):
        upstream.fail(error)
    elif error is not None:
        upstream.fail(UpstreamBroken("the request body could not be sent"))

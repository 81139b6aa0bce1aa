"""Where every request enters: head read, decided, carried out, answered, reported.

One place turns errors into answers. Whatever happens to a request, exactly one event
tells of it.

Rule 1: an error before the head becomes an answer; after it, the connection is cut.
Rule 2: an exception that is not ours is a bug: the caller learns nothing, the event all.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol, cast

from gateway.engine.admission import Admission
from gateway.engine.answer import render_allow, render_error
from gateway.engine.dismissal import dismissal_of
from gateway.engine.events import Record
from gateway.engine.exchange import Exchange
from gateway.engine.incoming import Call, Incoming, Outcome, read_head
from gateway.engine.known import Known
from gateway.engine.recording import note_head, request_id_of
from gateway.engine.swift_exchange import SwiftExchange, is_swift
from gateway.engine.upload import upload_of
from gateway.engine.way import Outfit
from gateway.errors import (
    BadRequest,
    Draining,
    GatewayError,
    HeadTooLarge,
    Internal,
    MethodNotAllowed,
    Overloaded,
    RateShield,
    TargetTooLong,
)
from gateway.pipeline import AnsweredHere
from gateway.policy.forward import Plan

# The status in the log for a caller that went away, as nginx writes it.
CALLER_GONE = 499
# A request that left before its caller saw our last answer arrives within this.
GRACE_S = 0.5
# What is wrong with the head as such: such a connection is not trusted with another one.
_MALFORMED = (BadRequest, MethodNotAllowed, TargetTooLong, HeadTooLarge)


class Cancellable(Protocol):
    """A request under way, as whoever ends it sees it."""

    def cancel(self) -> object:
        """End it."""


class Gate(Admission):
    """Serves requests; counts connections and requests under way against the limits."""

    def __init__(self, outfit: Outfit) -> None:
        # The process may be allowed fewer open files than the configuration needs.
        super().__init__(outfit.limits.max_connections)
        self.outfit = outfit
        # Asking for the running one costs a system call, at every request.
        self._loop = asyncio.get_running_loop()
        self.limits = outfit.limits
        self.timeouts = outfit.timeouts
        self._under_way: dict[Cancellable, Record] = {}
        # Of each change: the requests that were under way then and are not over.
        self._leftover: list[tuple[set[Cancellable], asyncio.Future[None]]] = []
        # While draining, connections end with their answer; when refusing, nothing new starts;
        # when stopping, what ends early was ended by us.
        self.is_draining = False
        self.is_refusing = False
        self.is_stopping = False
        self._emptied: asyncio.Future[None] | None = None

    def change(self, outfit: Outfit) -> asyncio.Future[None]:
        """Serve every request that begins from now on with another outfit.

        Those under way keep theirs; the future is done when the last of them has been told of.
        """
        self.outfit = outfit
        self.limits, self.timeouts = outfit.limits, outfit.timeouts
        self.max_connections = outfit.limits.max_connections
        done = self._loop.create_future()
        if self._under_way:
            self._leftover.append((set(self._under_way), done))
        else:
            done.set_result(None)
        return done

    @property
    def in_flight(self) -> int:
        """Return how many requests are under way."""
        return len(self._under_way)

    def leave(self, *, was_told: bool = False) -> None:
        """Count a connection out that was admitted, or that `was_told`."""
        super().leave(was_told=was_told)
        self._tell_if_empty()

    async def handle(self, incoming: Incoming) -> Outcome:
        """Serve one request, or answer its flaw; write the whole answer."""
        record, outfit = Record(request_id_of(incoming), time.monotonic()), self.outfit
        record.client_address = incoming.connection.client_address
        task = cast("asyncio.Task[None]", asyncio.current_task(self._loop))
        self.begin(task, record)

        def serve() -> Awaitable[bool]:
            return self._serve(incoming, record, outfit)

        return Outcome(await self.carry_out(incoming, record, task, outfit, serve))

    def may_begin(self) -> bool:
        """Tell whether another request may take the fast lane: it is served, and then the next."""
        outfit = self.outfit
        if self.is_draining or not outfit.fast_lane:
            return False
        return len(self._under_way) < outfit.max_in_flight

    def begin(self, key: Cancellable, record: Record) -> None:
        """Take a request in."""
        self._under_way[key] = record

    async def carry_out(
        self,
        call: Call,
        record: Record,
        key: Cancellable,
        outfit: Outfit,
        serve: Callable[[], Awaitable[bool]],
    ) -> bool:
        """Have a request served that is under way by `key`; answer whatever goes wrong."""
        try:
            keep = await serve()
        except asyncio.CancelledError:
            if record.code != Draining.code:
                self.note_gone(record)
                raise
            cast("asyncio.Task[None]", asyncio.current_task()).uncancel()
            keep = self.fail(call, record, dismissal_of(record))
        except ConnectionError:
            self.note_gone(record)
            keep = False
        except GatewayError as error:
            keep = self.fail(call, record, error)
        except Exception as bug:  # noqa: BLE001 (the border: what is not ours is a bug, and is told)
            record.bug = bug
            keep = self.fail(call, record, Internal())
        finally:
            self.end(key, record, outfit)
        if not keep and not record.cut:
            await call.connection.linger()
        elif keep and self.is_ending(call):
            # Its answer promised to stay, so the caller may be sending already.
            self._loop.call_later(GRACE_S, call.connection.close_if_idle)
        return keep

    def dismiss(self) -> int:
        """Answer every request whose answer has not begun, and return how many they are."""
        waiting = [task for task, record in self._under_way.items() if not record.status]
        for task in waiting:
            self._under_way[task].code = Draining.code
            task.cancel()
        return len(waiting)

    async def emptied(self) -> None:
        """Wait until the last connection is gone, and the last request with it."""
        while self.connections or self.in_flight:
            self._emptied = self._loop.create_future()
            await self._emptied

    async def _serve(self, incoming: Incoming, record: Record, outfit: Outfit) -> bool:
        """Return whether the connection may be kept."""
        if incoming.flaw is not None:
            raise incoming.flaw
        # With the same policy as the outfit, which was taken in this very turn.
        known, refusal, now = incoming.known, self._refusal, self._loop.time()
        if known is not None and refusal is None:
            record.asked = known.asked
            if is_swift(incoming, known):
                return await self._serve_swiftly(incoming, known, record, outfit)
            decision: Plan | AnsweredHere = known.plan.due(now + outfit.policy.first_byte_s)
            restore = known.restore
        else:
            raw = read_head(incoming)
            if refusal is not None:
                note_head(record.asked, raw)
                raise refusal
            heads = incoming.listens.heads
            decision, restore = heads.decide(raw, incoming.head, record, now)
        if isinstance(decision, AnsweredHere):
            return self._allow(incoming, record, decision)
        upload = upload_of(incoming, decision.framing, outfit.limits, restore)
        exchange = Exchange(incoming, decision, record, upload, outfit.timeouts.idle_s)
        way = outfit.ways[decision.upstream.name]
        return await exchange.run(way, closing=lambda: self.is_ending(incoming))

    def _serve_swiftly(
        self, incoming: Incoming, known: Known, record: Record, outfit: Outfit
    ) -> Awaitable[bool]:
        body = incoming.payload.read_nowait() if incoming.body is None else incoming.body
        exchange = SwiftExchange(incoming, outfit, known, body, record, self._loop)
        return exchange.run(self.is_ending)

    def is_ending(self, call: Call) -> bool:
        """Tell whether the connection ends with its answer, whatever the caller asked for."""
        return self.is_draining or call.connection.listens.is_leaving

    @property
    def _refusal(self) -> GatewayError | None:
        if self.is_refusing:
            return Draining("the gateway is shutting down")
        if self.in_flight > self.outfit.max_in_flight:
            return Overloaded("too many requests under way (limits.max_in_flight)")
        return None

    def fail(self, call: Call, record: Record, error: GatewayError) -> bool:
        """Answer with the error, or cut the connection when an answer has begun."""
        record.code, record.message = error.code, error.message
        if isinstance(error, RateShield):
            record.limited = error.reason
        if record.status:
            record.cut = error.message
            call.connection.abort()
            return False
        record.status = error.status
        close = isinstance(error, _MALFORMED) or self._must_close(call)
        answer = render_error(error, record.request_id, close=close, bodiless=call.is_head)
        record.bytes_out = len(answer.partition(b"\r\n\r\n")[2])
        call.connection.write(answer)
        return not close

    def _allow(self, incoming: Incoming, record: Record, answer: AnsweredHere) -> bool:
        record.status = 204
        close = self._must_close(incoming)
        incoming.connection.write(render_allow(answer.allow, record.request_id, close=close))
        return not close

    def _must_close(self, call: Call) -> bool:
        # An HTTP/1.0 caller that wants the connection kept asks for more than it is worth.
        return self.is_ending(call) or call.is_last or call.is_old or not call.is_read

    def note_gone(self, record: Record) -> None:
        """Take note that the connection ended before its answer did."""
        if self.is_stopping:
            record.status = record.status or Draining.status
            record.code = Draining.code
            record.cut = "the gateway stopped before the answer was complete"
        else:
            record.status = CALLER_GONE

    def end(self, key: Cancellable, record: Record, outfit: Outfit) -> None:
        """Take a request out, and tell of it."""
        del self._under_way[key]
        record.total_s = time.monotonic() - record.started
        outfit.events.finished(record)
        if self._leftover:
            self._settle_leftover(key)
        if self._emptied is not None:
            # Whoever waits for the last request reads then what was told of it.
            self._tell_if_empty()

    def _settle_leftover(self, key: Cancellable) -> None:
        """Take note that a request is over, for every change that waits for it."""
        for keys, done in self._leftover:
            keys.discard(key)
            if not keys and not done.done():
                done.set_result(None)
        self._leftover = [(keys, done) for keys, done in self._leftover if keys]

    def _tell_if_empty(self) -> None:
        if self._emptied is None or self._emptied.done():
            return
        if not self.connections and not self.in_flight:
            self._emptied.set_result(None)

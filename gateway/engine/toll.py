"""What an attempt pays before it leaves, and what its answer teaches.

`policy.rates` decides; this brings it the time, asks what a fleet shares, and lets requests
wait when `rates.mode` is "queue": fair between callers, bounded in number and time,
released at the pace that the vendor's window allows, gone with their caller.

Rule 1: each payment is settled once: by an answer, or by the news that there is none. What
        was not sent is not counted, by the fleet neither.
Rule 2: a door that is shut is refused here, without asking the store; only where that has no
        room for now one request in a second asks for all whether it has some again.
Rule 3: a store that is down, or slow, leaves every process to its own count.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from gateway.core.message import ReplyHead
from gateway.engine.first_answers import FirstAnswers
from gateway.engine.fleet_budgets import FleetBudgets, Refusal
from gateway.errors import RateShield
from gateway.policy.forward import Plan
from gateway.policy.rate_buckets import ASK_AGAIN_S, Reason, Shut
from gateway.policy.rate_fields import RateFields, parse_retry_after, read_rate_fields
from gateway.policy.rate_groups import Fare, RateKey, charged_key
from gateway.policy.rate_queue import RateQueue, Ticket
from gateway.policy.rates import RateMode, Rates, Spent, shield_of
from gateway.stores.store import Receipt, StoreDown

Waiting = asyncio.Future[None]


class Toll:
    """Takes payments for every upstream; `shared` counts for a whole fleet."""

    def __init__(
        self,
        rates: Rates,
        shared: FleetBudgets | None = None,
        *,
        max_wait_s: float = 30.0,
        max_queue: int = 100,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.rates = rates
        self._is_off = rates.mode is RateMode.OFF
        # Nothing is refused in these modes, so nothing is asked either.
        self._only_counts = self._is_off or rates.mode is RateMode.OBSERVE
        self._may_wait = rates.mode is RateMode.QUEUE
        self._shared = shared
        # No request that waits goes before, nor what a fleet counts.
        self._counts_alone = shared is None and not self._may_wait
        # By the number of what was spent: what the fleet counted, and nothing is known of yet.
        self._receipts: dict[int, Receipt] = {}
        self._max_wait_s = max_wait_s
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._queue: RateQueue[Waiting] = RateQueue(max_queue)
        self._first = FirstAnswers(self._loop)
        # By line: when, and what rings then. A handle of uvloop's does not always tell.
        self._timers: dict[tuple[str, str], tuple[float, asyncio.Handle]] = {}

    @property
    def waiting(self) -> int:
        """Return how many requests wait for a window."""
        return len(self._queue)

    def pay_now(self, fare: Fare, now: float) -> Spent | None:
        """Let one attempt through, None when it would have to wait, or to be refused.

        `fare` is that of requests which are charged alike; `now` is event-loop seconds.
        """
        if self._is_off:
            return _UNCOUNTED
        rates = self.rates
        groups = rates.groups
        key = fare.key if fare.edition is groups.edition else groups.look_up(fare)
        if self._counts_alone:
            spent = rates.spend_if_told(key, now)
            if spent is not None:
                return spent
        if not self._only_counts and (
            self._shared is not None
            or self._is_first(key)
            or (self._may_wait and self._queue.waits(key.bucket))
        ):
            return None
        outcome = rates.spend_or_tell(key, now)
        return outcome if isinstance(outcome, Spent) else None

    async def pay(self, plan: Plan) -> Spent:
        """Let one attempt through, or raise `RateShield`; waits only in mode "queue"."""
        if self._is_off:
            return _UNCOUNTED
        key = self.rates.key_of(plan.permitted)
        if self._only_counts:
            return self.rates.spend(key, self._loop.time())
        if not self._is_first(key):
            return await self._pay(key, plan)
        await self._first.turn(key)
        try:
            return await self._pay(key, plan)
        except BaseException:
            self._first.end(key)
            raise

    def _is_first(self, key: RateKey) -> bool:
        """Tell whether the answer to a request would be the first to tell the limit."""
        return self._first.is_awaited(key) and not self.rates.is_told(key)

    async def _pay(self, key: RateKey, plan: Plan) -> Spent:
        if self.rates.mode is not RateMode.QUEUE:
            return await self._pay_now(key, plan.deadline)
        caller = plan.permitted.caller.name
        give_up = min(plan.deadline, self._loop.time() + self._max_wait_s)
        ticket = None
        if self._queue.waits(key.bucket):
            # Whoever came before goes before.
            ticket = await self._wait(key, caller, give_up)
        while True:
            try:
                return await self._pay_now(key, give_up)
            except RateShield as shield:
                if shield.retry_at > give_up:
                    raise
            # The store may refuse one whose turn it was.
            ticket = await self._wait(key, caller, give_up, ticket)

    def settle(self, spent: Spent, head: ReplyHead) -> None:
        """Take in an answer."""
        if self._is_off:
            return
        now = self._loop.time()
        fields = read_rate_fields(head)
        if not self.rates.learn_room(spent, head.status, fields, now):
            self._learn(spent, head, fields, now)
        elif self._counts_alone:
            return
        if not spent.was_told:
            self._first.end(spent.key, answered=True)
        if self._shared is not None:
            self._receipts.pop(spent.number, None)
            self._shared.tell(spent.key, self.rates.budget(spent.key))
        if self._may_wait:
            self._let_go(spent.key, now)

    def _learn(self, spent: Spent, head: ReplyHead, fields: RateFields | None, now: float) -> None:
        retry_after_s = None
        if b"retry-after" in head.places.by_name:
            retry_after_s = parse_retry_after(head.first(b"retry-after"), self._clock())
        shut = self.rates.learn(spent, head.status, fields, retry_after_s, now)
        if shut is not None and self._shared is not None and head.status == 429:
            group = "" if fields is None else fields.group
            self._shared.shut(charged_key(spent.key, group), shut)

    def release(self, spent: Spent, *, sent: bool) -> None:
        """Take in that there is no answer; `sent` tells whether a byte left."""
        if self._is_off:
            return
        now = self._loop.time()
        self.rates.release(spent, now, sent=sent)
        if self._shared is not None:
            receipt = self._receipts.pop(spent.number, None)
            if receipt is not None and not sent:
                self._shared.take_back(receipt)
        if not spent.was_told:
            self._first.end(spent.key)
        self._let_go(spent.key, now)

    async def _pay_now(self, key: RateKey, give_up: float) -> Spent:
        now = self._loop.time()
        spent = self.rates.spend(key, now)
        if self._shared is None or key.windows:
            return spent
        try:
            until = min(give_up, now + _ASK_WITHIN_S)
            answer = await self._shared.ask(key, self.rates.budget(key), until, self._close)
        except StoreDown:
            return spent
        except BaseException:
            self.rates.release(spent, self._loop.time(), sent=False)
            raise
        if isinstance(answer, Refusal):
            now = self._loop.time()
            self.rates.release(spent, now, sent=False)
            raise shield_of(key, self._close(key, answer), now)
        self.rates.fill(key, now, now)
        if answer is not None:
            self._receipts[spent.number] = answer
        return spent

    def _close(self, key: RateKey, refusal: Refusal) -> Shut:
        """Keep a door shut here that the fleet keeps shut."""
        now = self._loop.time()
        shut = Shut(refusal.reason, now + refusal.wait_s)
        if shut.reason is Reason.EXHAUSTED:
            self.rates.fill(key, shut.until, now)
        else:
            self.rates.close(key, shut)
        return shut

    async def _wait(
        self, key: RateKey, caller: str, give_up: float, before: Ticket[Waiting] | None = None
    ) -> Ticket[Waiting]:
        """Wait for a turn, or raise `RateShield` when there is no place or no time.

        `before` is the ticket of one whose turn came in vain; what is returned is a ticket, too.
        """
        turn: Waiting = self._loop.create_future()
        if before is not None:
            ticket: Ticket[Waiting] | None = self._queue.enter_again(before, turn)
        else:
            ticket = self._queue.enter(key.bucket, caller, turn)
        if ticket is None:
            raise self._refusal(key)
        try:
            self._look_again(key)
            async with asyncio.timeout_at(give_up):
                await turn
        except TimeoutError:
            raise self._refusal(key) from None
        finally:
            self._leave(key, ticket)
        return ticket

    def _refusal(self, key: RateKey) -> RateShield:
        now = self._loop.time()
        shut = self.rates.refusal(key, now) or Shut(Reason.EXHAUSTED, now + 1.0)
        return shield_of(key, shut, now)

    def _leave(self, key: RateKey, ticket: Ticket[Waiting]) -> None:
        """Take a ticket out; a turn that comes too late is the next one's."""
        if not self._queue.cancel(ticket) and ticket.item.cancelled():
            self._let_go(key, self._loop.time())

    def _let_go(self, key: RateKey, now: float) -> None:
        """Wake as many of a line as may go now, and come back for the others."""
        line = key.bucket
        if not self._queue.waits(line):
            return
        for ticket in self._queue.release(line, self.rates.room(key, now)):
            if not ticket.item.done():
                ticket.item.set_result(None)
        if self._queue.waits(line):
            self._look_again(key)

    def _look_again(self, key: RateKey) -> None:
        """Come back when the door opens, or soon when it is not shut, or may open before."""
        now = self._loop.time()
        shut = self.rates.refusal(key, now)
        if shut is None:
            at = now + _LOOK_AGAIN_S
        elif shut.reason is Reason.EXHAUSTED:
            at = min(shut.until, now + ASK_AGAIN_S)
        else:
            at = shut.until
        self._wake_at(key, at)

    def _wake_at(self, key: RateKey, at: float) -> None:
        line = key.bucket
        if line in self._timers:
            known_at, timer = self._timers[line]
            if known_at <= at:
                return
            timer.cancel()
        self._timers[line] = at, self._loop.call_at(at, self._on_timer, key)

    def _on_timer(self, key: RateKey) -> None:
        self._timers.pop(key.bucket, None)
        self._let_go(key, self._loop.time())


# What every request pays while nothing is counted.
_UNCOUNTED = Spent(RateKey("", "", "", ""), 0)
# Hundreds of ordinary answers, or one lost packet, which Linux sends again after 200 ms. To be
# late for longer costs every caller more than an exact count is worth.
_ASK_WITHIN_S = 0.5
# For room that an answer under way may bring without shutting a door.
_LOOK_AGAIN_S = 0.25

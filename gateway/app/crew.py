"""The workers of a gateway: always as many as were asked for, by one job after another.

Each place has one worker that serves. When it ends unasked, another one takes its place
after a while. At a new job every place gets a new worker first, and only when that one
serves is the old one told to retire: it leaves new connections to the others, and ends
when its last one has.

Rule 1: one place after the other changes; if the first new worker fails, nothing changes.
Rule 2: who is told to stop is waited for, as long as it was given, and then killed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from structlog.typing import FilteringBoundLogger

from gateway.app.backoff import Backoff
from gateway.app.hand import Hand, WorkerFailed
from gateway.app.job import Job
from gateway.ops.credential_report import merge_documents, merge_notes
from gateway.ops.health import merge_required
from gateway.ops.sums import FleetMetrics

# For the last report, and the end of the interpreter.
_LAST_WORDS_S = 5.0


@dataclass(slots=True, eq=False)
class _Place:
    """One of the workers, and what fills its place when it has ended."""

    backoff: Backoff = field(default_factory=Backoff)
    hand: Hand | None = None
    filling: asyncio.Task[None] | None = None


class Crew:
    """`size` workers by a job; `log` returns the logger of the moment."""

    def __init__(
        self, size: int, log: Callable[[], FilteringBoundLogger], metrics: FleetMetrics
    ) -> None:
        self._log = log
        self._metrics = metrics
        self._places = [_Place() for _ in range(size)]
        self._job: Job | None = None
        self._leaving: set[Hand] = set()
        self._watching: set[asyncio.Task[None]] = set()
        self._requests_cut = 0
        self._is_ending = False

    @property
    def serving(self) -> list[Hand]:
        """Return the workers that take new connections."""
        return [place.hand for place in self._places if place.hand is not None]

    async def open(self, job: Job) -> None:
        """Start every worker; raises `WorkerFailed`, and has started none then."""
        self._job = job
        loop = asyncio.get_running_loop()
        starting = [loop.create_task(Hand.start(job)) for _ in self._places]
        try:
            hands = await asyncio.gather(*starting)
        except BaseException:
            for task in starting:
                task.cancel()
            for ended in await asyncio.gather(*starting, return_exceptions=True):
                if isinstance(ended, Hand):
                    await ended.kill()
            raise
        for place, hand in zip(self._places, hands, strict=True):
            self._settle(place, hand)

    async def roll(self, job: Job, proven: Callable[[], Awaitable[None]]) -> None:
        """Have every place work by another job; `proven` is called when one worker serves by it.

        Raises `WorkerFailed` when none does; then all is as it was.
        """
        first, *others = self._places
        hand = await Hand.start(job)
        self._job = job
        self._stop_filling(first)
        # From here on it belongs to the crew, whatever interrupts the rest.
        before = self._take_over(first, hand)
        await proven()
        if before is not None:
            await before.retire()
        for place in others:
            await self._fill_now(place)

    async def refresh(self) -> None:
        """Have every worker report."""
        await asyncio.gather(*(hand.refresh() for hand in self._all()))
        for hand in self._all():
            self._metrics.note(hand.pid, hand.part("metrics", []))
        self._metrics.count(serving=len(self.serving), leaving=len(self._leaving))

    async def drain(self, drain_s: float) -> int:
        """Let requests finish for `drain_s` seconds; return how many were cut."""
        return await self._end("drain", drain_s + _LAST_WORDS_S)

    async def abort(self) -> int:
        """Stop at once; return how many requests were cut."""
        return await self._end("stop", _LAST_WORDS_S)

    def check(self) -> str | None:
        """Return None while somebody serves."""
        return None if self.serving else "no worker serves"

    def notes(self) -> dict[str, str | None]:
        """Return what `/readyz?verbose` adds, as last reported."""
        serving, size = len(self.serving), len(self._places)
        missing = None if serving == size else f"{serving} of {size} serve"
        told = (hand.part("notes", {}) for hand in self.serving)
        return {"all workers": missing, **merge_notes(told)}

    def required(self) -> dict[str, str | None]:
        """Return what the workers have of `ops.ready_requires`: well is what is well for one."""
        told = [hand.required for hand in self.serving if hand.required is not None]
        return merge_required(told) if told else {"requirements": "no worker has told yet"}

    def document(self) -> dict[str, object]:
        """Return what `/credentials` shows, as last reported."""
        documents = (hand.part("credentials", None) for hand in self.serving)
        return merge_documents(one for one in documents if one is not None)

    def _all(self) -> list[Hand]:
        return [*self.serving, *self._leaving]

    def _settle(self, place: _Place, hand: Hand) -> None:
        place.hand = hand
        task = asyncio.get_running_loop().create_task(self._watch(place, hand))
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)

    def _take_over(self, place: _Place, hand: Hand) -> Hand | None:
        """Give a place to a worker; return the one before, which has yet to retire."""
        before = place.hand
        self._settle(place, hand)
        if before is not None:
            self._leaving.add(before)
        return before

    async def _replace(self, place: _Place, hand: Hand) -> None:
        """Let a worker take over a place, and the one before retire."""
        before = self._take_over(place, hand)
        if before is not None:
            await before.retire()

    async def _watch(self, place: _Place, hand: Hand) -> None:
        """Wait for a worker's end; have its place filled when nobody asked for it."""
        code = await hand.ended()
        self._metrics.note(hand.pid, hand.part("metrics", []))
        self._metrics.end(hand.pid)
        self._requests_cut += hand.requests_cut
        is_asked = self._is_ending or hand in self._leaving
        self._leaving.discard(hand)
        if place.hand is hand:
            place.hand = None
        why = {"reason": "it did not answer, and was killed"} if hand.is_stuck else {}
        if is_asked:
            tell = self._log().error if hand.is_stuck else self._log().info
            tell("worker left", worker=hand.pid, exit_code=code, **why)
            return
        self._metrics.restarts.inc()
        wait_s = place.backoff.wait_s(hand.lived_s)
        self._log().error("worker ended", worker=hand.pid, exit_code=code, delay_s=wait_s, **why)
        self._fill_later(place, wait_s)

    async def _fill_now(self, place: _Place) -> None:
        """Give a place a worker by the job of the moment, or go on trying in the background."""
        self._stop_filling(place)
        try:
            hand = await self._start()
        except WorkerFailed as failed:
            self._fill_later(place, self._tell_failed(place, failed))
        else:
            await self._replace(place, hand)

    def _stop_filling(self, place: _Place) -> None:
        if place.filling is not None:
            place.filling.cancel()
            place.filling = None

    def _fill_later(self, place: _Place, wait_s: float) -> None:
        place.filling = asyncio.get_running_loop().create_task(self._fill(place, wait_s))

    async def _fill(self, place: _Place, wait_s: float) -> None:
        """Wait and start a worker, again and again until one serves."""
        while True:
            await asyncio.sleep(wait_s)
            try:
                hand = await self._start()
            except WorkerFailed as failed:
                wait_s = self._tell_failed(place, failed)
                continue
            place.filling = None
            await self._replace(place, hand)
            self._log().info("worker started", worker=hand.pid)
            return

    def _tell_failed(self, place: _Place, failed: WorkerFailed) -> float:
        wait_s = place.backoff.wait_s(0.0)
        self._log().error("worker failed", reason=str(failed), delay_s=wait_s)
        return wait_s

    async def _start(self) -> Hand:
        assert self._job is not None  # noqa: S101 - a crew is opened with a job
        return await Hand.start(self._job)

    async def _end(self, order: str, within_s: float) -> int:
        self._is_ending = True
        filling = [place.filling for place in self._places if place.filling is not None]
        for task in filling:
            task.cancel()
        await asyncio.gather(*filling, return_exceptions=True)
        hands = self._all()
        for hand in hands:
            hand.order(order)
        if self._watching:
            await asyncio.wait(tuple(self._watching), timeout=within_s)
        for hand in hands:
            await hand.kill()
        await asyncio.gather(*self._watching)
        return self._requests_cut

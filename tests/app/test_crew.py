"""Workers in their places; what callers see of it is in tests/e2e/test_callers_workers.py."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.app import hand as hand_module
from gateway.app.crew import Crew
from gateway.app.hand import WorkerFailed
from gateway.app.job import Job
from gateway.ops.sums import FleetMetrics
from tests.app.hiring import Log, broken, children, few_descriptors, job_of
from tests.wire import PATIENCE_S


async def nothing() -> None:
    """Prove nothing."""


@asynccontextmanager
async def crew_of(size: int) -> AsyncIterator[tuple[Crew, Job, Log, FleetMetrics]]:
    log, metrics = Log(), FleetMetrics()
    crew = Crew(size, lambda: log.logger, metrics)
    async with job_of() as job:
        await crew.open(job)
        try:
            yield crew, job, log, metrics
        finally:
            await crew.abort()


async def test_every_place_has_a_worker_and_they_report_together() -> None:
    async with crew_of(2) as (crew, _, _, metrics):
        assert len({hand.pid for hand in crew.serving}) == 2
        await crew.refresh()
        metrics.sample()
        text = metrics.render()[0].decode()
        assert 'rcgw_workers{state="serving"} 2.0' in text
        assert crew.check() is None
        assert crew.notes() == {"all workers": None, "store": None}
        assert crew.document() == {"credentials": {}, "store": {"trouble": None}}


async def test_another_job_replaces_every_worker() -> None:
    async with crew_of(2) as (crew, job, log, _):
        before = {hand.pid for hand in crew.serving}
        new: list[set[int]] = []

        async def proven() -> None:
            new.append({hand.pid for hand in crew.serving} - before)
            assert before <= children()

        await crew.roll(job, proven)
        assert [len(one) for one in new] == [1]
        assert not before & {hand.pid for hand in crew.serving}
        assert await crew.drain(1.0) == 0
        gone = [line["worker"] for line in log.lines() if line["event"] == "worker left"]
        assert before < set(gone)
        assert crew.check() == "no worker serves"


async def test_a_job_that_no_worker_can_do_changes_nothing() -> None:
    async with crew_of(2) as (crew, job, _, _):
        before = [hand.pid for hand in crew.serving]
        with pytest.raises(WorkerFailed):
            await crew.roll(broken(job), nothing)
        assert [hand.pid for hand in crew.serving] == before


async def test_a_crew_that_cannot_begin_leaves_nobody_behind() -> None:
    crew = Crew(2, lambda: Log().logger, FleetMetrics())
    async with job_of() as job:
        with pytest.raises(WorkerFailed):
            await crew.open(broken(job))
    assert crew.serving == []


async def test_a_worker_that_ends_is_missed_and_replaced() -> None:
    async with crew_of(1) as (crew, _, log, _):
        (before,) = crew.serving
        await before.kill()
        await asyncio.wait(tuple(crew._watching))
        assert crew.check() == "no worker serves"
        assert crew.notes()["all workers"] == "0 of 1 serve"
        filling = crew._places[0].filling
        assert filling is not None
        await asyncio.wait_for(filling, PATIENCE_S)
        assert crew.check() is None
        events = [line["event"] for line in log.lines()]
        assert events == ["worker ended", "worker started"]


async def test_a_worker_that_stands_still_is_replaced_and_the_log_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hand_module, "_LOOK_EVERY_S", 0.05)
    async with crew_of(1) as (crew, _, log, _):
        (before,) = crew.serving
        os.kill(before.pid, signal.SIGSTOP)
        monkeypatch.setattr(hand_module, "_REPORT_WITHIN_S", 0.2)
        (ended,) = await log.until("worker ended", 1)
        monkeypatch.undo()
        assert ended["reason"] == "it did not answer, and was killed"
        assert ended["exit_code"] == -signal.SIGKILL
        await log.until("worker started", 1)
        assert crew.check() is None


async def test_a_place_is_filled_once_there_are_descriptors_again() -> None:
    async with crew_of(1) as (crew, _, log, _):
        (before,) = crew.serving
        with few_descriptors(0):
            await before.kill()
            _, failed = await log.until("worker failed", 2)
        assert failed["reason"] == "could not be started: Too many open files"
        await log.until("worker started", 1)
        assert crew.check() is None


async def test_a_place_that_cannot_be_filled_is_tried_again_and_a_later_job_fills_it() -> None:
    async with crew_of(1) as (crew, job, log, _):
        (before,) = crew.serving
        crew._job = broken(job)
        await before.kill()
        first, second = await log.until("worker failed", 2)
        assert first["delay_s"] < second["delay_s"]
        assert "ended with exit code 78" in first["reason"]
        await crew.roll(job, nothing)
        assert crew.check() is None

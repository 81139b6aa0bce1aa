"""One worker as its parent sees it."""

import asyncio
import errno
import os
import signal

import pytest

from gateway.app import hand as hand_module
from gateway.app.channel import Channel
from gateway.app.hand import Hand, WorkerFailed
from tests.app.hiring import broken, children, few_descriptors, job_of, open_descriptors
from tests.wire import PATIENCE_S


async def test_a_worker_serves_reports_and_drains() -> None:
    async with job_of() as job:
        hand = await Hand.start(job)
        (bind,) = job.opened[0].binds
        _, writer = await asyncio.open_connection(bind.host, bind.port)
        await hand.refresh()
        assert "rcgw_build_info" in [family[0] for family in hand.part("metrics", [])]
        assert hand.part("credentials", None) == {"credentials": {}, "store": {"trouble": None}}
        assert hand.part("unheard", 7) == 7
        writer.close()
        hand.order("drain")
        assert await asyncio.wait_for(hand.ended(), PATIENCE_S) == 0
        assert hand.requests_cut == 0
        # Nobody answers any more, and nobody waits for it.
        await hand.refresh()
        await hand.retire()


async def test_a_worker_that_is_killed_is_known_by_its_signal() -> None:
    async with job_of() as job:
        hand = await Hand.start(job)
        os.kill(hand.pid, signal.SIGKILL)
        assert await asyncio.wait_for(hand.ended(), PATIENCE_S) == -signal.SIGKILL
        await hand.kill()
        assert hand.lived_s > 0


async def test_a_worker_that_answers_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hand_module, "_LOOK_EVERY_S", 0.05)
    async with job_of() as job:
        hand = await Hand.start(job)
        for _ in range(200):
            await asyncio.sleep(0.05)
            if hand.report:
                break
        assert hand.report
        hand.order("drain")
        assert await asyncio.wait_for(hand.ended(), PATIENCE_S) == 0
        assert not hand.is_stuck


async def test_a_worker_that_answers_late_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hand_module, "_LOOK_EVERY_S", 1.0)
    monkeypatch.setattr(hand_module, "_LAST_LOOK_S", 0.0)
    async with job_of() as job:
        hand = await Hand.start(job)
        # No answer comes before the question is asked.
        monkeypatch.setattr(hand_module, "_REPORT_WITHIN_S", 0.0)
        await asyncio.sleep(4.5)
        assert not hand.is_stuck
        assert hand.report
        hand.order("drain")
        assert await asyncio.wait_for(hand.ended(), PATIENCE_S) == 0


async def test_a_worker_that_stands_still_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hand_module, "_LOOK_EVERY_S", 0.05)
    async with job_of() as job:
        hand = await Hand.start(job)
        os.kill(hand.pid, signal.SIGSTOP)
        monkeypatch.setattr(hand_module, "_REPORT_WITHIN_S", 0.2)
        assert await asyncio.wait_for(hand.ended(), PATIENCE_S) == -signal.SIGKILL
        assert hand.is_stuck


async def test_a_worker_that_cannot_begin_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    async with job_of() as job:
        with pytest.raises(WorkerFailed, match="ended with exit code 78 before it was ready"):
            await Hand.start(broken(job))
    error = capfd.readouterr().err
    assert "stores.redis: the environment variable RC_GATEWAY_NOWHERE is not set" in error


async def test_a_start_that_is_given_up_leaves_nobody_behind() -> None:
    async with job_of() as job:
        before = children()
        starting = asyncio.create_task(Hand.start(job))
        await asyncio.wait((starting,), timeout=0.05)
        starting.cancel()
        await asyncio.wait((starting,))
        assert starting.cancelled()
    assert children() == before


async def test_a_process_without_a_channel_is_a_worker_that_failed_and_left_nobody_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(_sock: object) -> Channel:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(Channel, "over", fail)
    async with job_of() as job:
        before = children()
        with pytest.raises(WorkerFailed, match="could not be started: Too many open files"):
            await Hand.start(job)
        assert children() == before


async def test_a_process_that_cannot_be_started_is_a_worker_that_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    async with job_of() as job:
        with pytest.raises(WorkerFailed, match="could not be started: No such file or directory"):
            await Hand.start(job)


@pytest.mark.parametrize("free", range(13))
async def test_a_start_without_descriptors_is_a_worker_that_failed_and_keeps_none(
    free: int,
) -> None:
    async with job_of() as job:
        before = open_descriptors()
        with (
            few_descriptors(free),
            pytest.raises(WorkerFailed, match="could not be started: Too many open files"),
        ):
            await Hand.start(job)
        assert open_descriptors() == before

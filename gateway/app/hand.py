"""One worker as its parent sees it: a process, a channel, and what it last reported.

Rule 1: a worker that was started and is not wanted, whatever the reason, is killed.
Rule 2: what it reported last is kept until it has ended, and some time after.
Rule 3: one that says nothing for half a minute, although it is asked, stands still, and is
        killed; one that answers late is only slow.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import suppress
from typing import Any

from gateway.app.channel import Channel, Message
from gateway.app.job import Job
from gateway.engine.descriptors import reserve

# Imports take half a second; a machine that swaps may need a hundred times that.
_READY_WITHIN_S = 60.0
# It takes a fiftieth of a second; one that stands still must not hold the others up.
_RETIRED_WITHIN_S = 5.0
# An init system may send SIGTERM to parent and workers at once; the parent's order, which comes
# after a fiftieth of a second, is then the first.
_LET_GO_AFTER_S = 0.1
# Less than the CLI waits for an answer of the operators' listener.
_REPORT_WITHIN_S = 2.0
# So no more than these seconds of counts are lost with a worker that is killed.
_LOOK_EVERY_S = 10.0
# With the waits: 26 to 36 seconds after its event loop has stopped.
_MOST_UNANSWERED = 3
# Descriptors: the channel's two, three standard streams, pipes of the event loop; with a margin.
_STARTING_TAKES = 16
# This process may have been late itself: what it has not read yet comes within this.
_LAST_LOOK_S = 0.1


class WorkerFailed(Exception):
    """A worker did not become ready; the text says how it ended."""


class Hand:
    """One worker process; made by `start`."""

    def __init__(self, process: asyncio.subprocess.Process, channel: Channel) -> None:
        self._process = process
        self._channel = channel
        self._loop = asyncio.get_running_loop()
        self.began = self._loop.time()
        self.report: Message = {}
        # What it has of `ops.ready_requires`; None while it has not told.
        self.required: Message | None = None
        self.requests_cut = 0
        self.is_stuck = False
        # How many messages have come.
        self._heard = 0
        self._ready: asyncio.Future[bool] = self._loop.create_future()
        self._retired: asyncio.Future[None] = self._loop.create_future()
        self._asked: asyncio.Future[None] | None = None
        self._listening = self._loop.create_task(self._listen())
        self._looking: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, job: Job) -> Hand:
        """Return a worker that serves, or raise `WorkerFailed`."""
        try:
            hand = cls(*await _start_process(job))
        except OSError as error:
            raise WorkerFailed(f"could not be started: {error.strerror}") from None
        try:
            hand._channel.send(job.render())
            await hand._until_ready()
        except BaseException:
            await hand.kill()
            raise
        if not hand._listening.done():
            hand._looking = hand._loop.create_task(hand._look_after())
        return hand

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._process.pid

    @property
    def lived_s(self) -> float:
        """Return for how many seconds it has been there."""
        return self._loop.time() - self.began

    def order(self, order: str) -> None:
        """Tell it to end: "drain" or "stop"."""
        self._channel.send({"order": order})

    async def retire(self) -> None:
        """Tell it to leave new connections to others; return when it does."""
        self.order("retire")
        await asyncio.wait((self._retired,), timeout=_RETIRED_WITHIN_S)

    async def refresh(self) -> None:
        """Have it report; one that does not answer in time keeps its last report."""
        if self._listening.done():
            return
        if self._asked is None:
            self._asked = self._loop.create_future()
            self._channel.send({"ask": "report"})
        await asyncio.wait((self._asked,), timeout=_REPORT_WITHIN_S)

    async def ended(self) -> int:
        """Wait for its end; return the exit code, that of a signal negative."""
        await asyncio.shield(self._listening)
        return await self._process.wait()

    async def kill(self) -> None:
        """End it, whatever it does."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self.ended()

    async def _until_ready(self) -> None:
        try:
            async with asyncio.timeout(_READY_WITHIN_S):
                is_ready = await self._ready
        except TimeoutError:
            raise WorkerFailed(f"was not ready within {_READY_WITHIN_S:g} s") from None
        if not is_ready:
            raise WorkerFailed(f"ended with exit code {await self.ended()} before it was ready")

    async def _look_after(self) -> None:
        """Ask it now and then, and kill it when it has said nothing several times."""
        heard = unanswered = 0
        while unanswered < _MOST_UNANSWERED:
            await asyncio.sleep(_LOOK_EVERY_S)
            await self.refresh()
            if self._heard == heard:
                await asyncio.sleep(_LAST_LOOK_S)
            unanswered = unanswered + 1 if self._heard == heard else 0
            heard = self._heard
        self.is_stuck = True
        with suppress(ProcessLookupError):
            self._process.kill()

    async def _listen(self) -> None:
        """Take in what it says, until it says no more."""
        while (message := await self._channel.receive()) is not None:
            self._heard += 1
            self._take(message)
        self._take({"ready": False, "retired": True})
        self._answer()
        await self._channel.close()
        if self._looking is not None:
            self._looking.cancel()

    def _take(self, message: Message) -> None:
        if "ready" in message and not self._ready.done():
            self._ready.set_result(message["ready"])
        if "retired" in message and not self._retired.done():
            self._retired.set_result(None)
        if "asks" in message:
            self._loop.call_later(_LET_GO_AFTER_S, self.order, message["asks"])
        if "over" in message:
            self.requests_cut = message["over"]
        if "required" in message:
            self.required = message["required"]
        if "report" in message:
            self.report = message["report"]
            self._answer()

    def _answer(self) -> None:
        asked, self._asked = self._asked, None
        if asked is not None and not asked.done():
            asked.set_result(None)

    def part(self, name: str, otherwise: Any) -> Any:
        """Return a part of its last report."""
        return self.report.get(name, otherwise)


async def _start_process(job: Job) -> tuple[asyncio.subprocess.Process, Channel]:
    """Return a process and the channel to it, or raise `OSError` and leave neither behind."""
    # A start that fails for want of them half-way never gives back those it has got (uvloop).
    reserve(_STARTING_TAKES)
    ours, theirs = socket.socketpair()
    process: asyncio.subprocess.Process | None = None
    try:
        with theirs:
            process = await _spawn(theirs, job)
        return process, await Channel.over(ours)
    except BaseException:
        ours.close()
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        raise


async def _spawn(theirs: socket.socket, job: Job) -> asyncio.subprocess.Process:
    """Start a process that has nothing of this one but the job's sockets and the channel."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "work", str(theirs.fileno())),
        stdin=asyncio.subprocess.DEVNULL,
        # A terminal's signals are for the parent, which tells its workers.
        start_new_session=True,
        pass_fds=(theirs.fileno(), *job.descriptors),
    )

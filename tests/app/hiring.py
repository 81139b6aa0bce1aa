"""Jobs for workers, and crews of them, in tests."""

from __future__ import annotations

import asyncio
import io
import os
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import orjson

from gateway.app.job import Job
from gateway.app.opened import prepare
from gateway.config.load import load
from gateway.config.sections import LogConfig
from gateway.ops.log_output import open_log
from tests.wire import PATIENCE_S

SETS = (
    *('credentials.ringcentral.grant="none"', 'upstreams.platform.origin="http://127.0.0.1:9"'),
    *('listener.bind="127.0.0.1:0"', 'ops.bind="127.0.0.1:0"', "log.requests=off"),
    "timeouts.drain_s=1",
)


class _Stream(io.BytesIO):
    """Keeps what is written, and wakes whoever waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = asyncio.Event()

    def write(self, data: Any) -> int:
        self.written.set()
        return super().write(data)


class Log:
    """A log that a test reads."""

    def __init__(self) -> None:
        self.stream = _Stream()
        self.logger = self.open(LogConfig())

    def open(self, config: LogConfig) -> Any:
        """Return a logger for a section."""
        return open_log(config.level, config.format, self.stream)

    def lines(self) -> list[dict[str, Any]]:
        """Return what was written."""
        return [orjson.loads(line) for line in self.stream.getvalue().splitlines()]

    async def until(self, event: str, count: int) -> list[dict[str, Any]]:
        """Wait for so many lines of an event, and return them."""
        while len(found := [line for line in self.lines() if line["event"] == event]) < count:
            self.stream.written.clear()
            await asyncio.wait_for(self.stream.written.wait(), PATIENCE_S)
        return found


@asynccontextmanager
async def job_of(*sets: str) -> AsyncIterator[Job]:
    """Give a job whose sockets are closed at the end."""
    loaded = load([], [*SETS, *sets], {})
    change = await prepare([], loaded.config.listener.bind)
    try:
        yield Job(loaded.tree, change.after)
    finally:
        change.discard()


def children() -> set[int]:
    """Return the processes that this one has started and that are still there."""
    pid = os.getpid()
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return {int(word) for word in text.split()}


def broken(job: Job) -> Job:
    """Return the same job with a store that no worker can open."""
    return Job({**job.tree, "stores": {"redis": "env:RC_GATEWAY_NOWHERE"}}, job.opened)


@contextmanager
def few_descriptors(free: int) -> Iterator[None]:
    """Leave this process so many that it can still open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    hogs: list[int] = []
    most = max(map(int, os.listdir("/proc/self/fd"))) + 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (most + free, hard))
    try:
        with suppress(OSError):
            while True:
                hogs.append(os.open(os.devnull, os.O_RDONLY))
        for _ in range(free):
            os.close(hogs.pop())
        yield
    finally:
        for hog in hogs:
            os.close(hog)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def open_descriptors() -> set[str]:
    """Return the numbers of those that are open."""
    return set(os.listdir("/proc/self/fd"))

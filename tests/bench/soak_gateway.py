"""The gateway of a soak: a process on a core of its own, its log read, its metrics asked.

Rule: its log is always read to the end, because a full pipe would hold the gateway up.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import machine
from tests.bench.soak_origin import behave
from tests.started import Started, process
from tests.wire import scripted

# Chosen before this process keeps to one of them.
CORES = machine.choose_cores()
_SAMPLE = re.compile(r"^([a-z_]+) ([0-9.e+]+)$", re.MULTILINE)


@dataclass(slots=True)
class Soaked:
    """A gateway under load; `errors` are its log lines of level error."""

    started: Started
    port: int
    ops_port: int
    events: list[dict[str, object]] = field(default_factory=list)

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self.started.process.pid

    @property
    def errors(self) -> int:
        """Return how many lines of level error it has logged."""
        return sum(event.get("level") in ("error", "critical") for event in self.events)

    @property
    def descriptors(self) -> int:
        """Return how many files it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def memory_mib(self) -> float:
        """Return its resident memory."""
        return machine.memory_mib(self.pid)

    async def gauges(self) -> dict[str, float]:
        """Return the figures of /metrics that have no labels."""
        return parse_gauges(await asyncio.to_thread(_fetch, self.ops_port))

    async def settled(self, seconds: float) -> dict[str, float]:
        """Return the gauges once no request and no connection is left, or when time is up."""
        end = asyncio.get_running_loop().time() + seconds
        while True:
            gauges = await self.gauges()
            left = gauges["rcgw_in_flight_requests"] + gauges["rcgw_open_connections"]
            if not left or asyncio.get_running_loop().time() > end:
                return gauges
            await asyncio.sleep(0.1)


def parse_gauges(text: str) -> dict[str, float]:
    """Read the samples without labels of a Prometheus text."""
    return {name: float(value) for name, value in _SAMPLE.findall(text)}


def raise_open_files() -> int:
    """Let this process open as many files as it may; return how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


@asynccontextmanager
async def soaked(*sets: str) -> AsyncIterator[Soaked]:
    """Run a gateway in front of the scripted origin."""
    settings = ("log.requests=off", "limits.max_connections=12000", *sets)
    async with (
        scripted(behave) as upstream,
        process(upstream.origin, "127.0.0.1:0", *settings) as started,
    ):
        event = await started.event("listening")
        binds = event["binds"]
        assert isinstance(binds, list)
        started.bind = binds[0]
        gateway = Soaked(started, _port(binds[0]), _port(str(event["ops"])))
        os.sched_setaffinity(gateway.pid, {CORES.proxy})
        reading = asyncio.create_task(_read_log(gateway))
        try:
            yield gateway
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading


async def _read_log(gateway: Soaked) -> None:
    stdout = gateway.started.process.stdout
    assert stdout is not None
    while line := await stdout.readline():
        gateway.events.append(json.loads(line))


def _port(bind: str) -> int:
    return int(bind.rpartition(":")[2])


def _fetch(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as reply:
        text: str = reply.read().decode("utf-8")
        return text


def write_table(path: Path, text: str) -> None:
    """Write the document and print it."""
    path.write_text(text, encoding="utf-8")
    print(text)

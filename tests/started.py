"""The gateway as a process of its own, as an operator starts it.

`process` starts one with any settings; `serving` also gives it a scripted upstream and
waits until it listens.

Rule: nothing here sleeps; whoever waits, waits for a log event or an end.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.wire import PATIENCE_S, Peer, Script, scripted

ROOT = Path(__file__).parents[1]
MIB = 1 << 20
_OPEN_FILES = resource.getrlimit(resource.RLIMIT_NOFILE)


@dataclass
class Started:
    """A gateway in a process of its own, up to the event that was waited for."""

    process: asyncio.subprocess.Process
    bind: str = ""
    # Every event that was read, also on the way to another one.
    events: list[dict[str, object]] = field(default_factory=list)

    async def event(self, name: str = "") -> dict[str, object]:
        """Return the next log event of a name, or just the next one."""
        assert self.process.stdout is not None
        while line := await asyncio.wait_for(self.process.stdout.readline(), PATIENCE_S):
            event: dict[str, object] = json.loads(line)
            self.events.append(event)
            if name in ("", event["event"]):
                return event
        raise AssertionError(f"ended before {name}: {await self.errors()}")

    async def errors(self) -> str:
        """Return all that was said on standard error, once the process has ended."""
        assert self.process.stderr is not None
        return (await asyncio.wait_for(self.process.stderr.read(), PATIENCE_S)).decode()

    async def code(self) -> int:
        """Return the exit code."""
        return await asyncio.wait_for(self.process.wait(), PATIENCE_S)

    async def dial(self, receive_bytes: int = 0) -> Peer:
        """Return a new connection to the gateway."""
        if self.bind.startswith("unix:"):
            return Peer(*await asyncio.open_unix_connection(self.bind[5:]))
        host, _, port = self.bind.rpartition(":")
        sock = socket.socket()
        if receive_bytes:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, (host, int(port)))
        except OSError:
            sock.close()
            raise
        return Peer(*await asyncio.open_connection(sock=sock, limit=MIB))

    def memory(self, name: str) -> int:
        """Return a figure of /proc/PID/status in bytes."""
        text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        (line,) = [line for line in text.splitlines() if line.startswith(name + ":")]
        return int(line.split()[1]) * 1024

    def limit(self, name: str) -> int:
        """Return a soft limit of /proc/PID/limits."""
        text = Path(f"/proc/{self.process.pid}/limits").read_text(encoding="ascii")
        (line,) = [line for line in text.splitlines() if line.startswith(name)]
        return int(line.removeprefix(name).split()[0])


@asynccontextmanager
async def process(
    origin: str,
    bind: str = "127.0.0.1:0",
    *sets: str,
    open_files: tuple[int, int] = _OPEN_FILES,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[Started]:
    """Start `python -m gateway serve`; kill what is left of it at the end.

    `open_files` are its soft and its hard limit, those of this process unless given; `environ`
    comes on top of this process's environment.
    """
    settings = (
        *(f'listener.bind="{bind}"', 'ops.bind="127.0.0.1:0"', "log.requests=errors"),
        *(f'upstreams.platform.origin="{origin}"', f'upstreams.media.origin="{origin}"'),
        *('credentials.ringcentral.grant="none"', *sets),
    )
    words = ["--config", str(config)] if config is not None else []
    words += [word for setting in settings for word in ("--set", setting)]
    async with command(*words, open_files=open_files, environ=environ) as started:
        yield started


@asynccontextmanager
async def command(
    *words: str,
    open_files: tuple[int, int] = _OPEN_FILES,
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[Started]:
    """Start `python -m gateway serve` with options; kill what is left of it at the end."""
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "serve", *words),
        cwd=ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, open_files),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_clean(os.environ) | dict(environ or {}),
    )
    try:
        yield Started(started)
    finally:
        with suppress(ProcessLookupError):
            started.kill()
        # Reading to the end closes the pipes.
        await started.communicate()


@asynccontextmanager
async def serving(
    script: Script,
    bind: str = "127.0.0.1:0",
    *sets: str,
    open_files: tuple[int, int] = _OPEN_FILES,
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[Started]:
    """Start a gateway with a scripted upstream behind it, and wait until it listens."""
    async with (
        scripted(script) as upstream,
        process(upstream.origin, bind, *sets, open_files=open_files, environ=environ) as gateway,
    ):
        binds = (await gateway.event("listening"))["binds"]
        assert isinstance(binds, list)
        gateway.bind = binds[0]
        yield gateway


def _clean(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without settings of a gateway."""
    return {name: value for name, value in environ.items() if not name.startswith("RC")}

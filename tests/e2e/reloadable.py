"""A gateway process whose configuration is a file that a test writes anew.

Rule: nothing here sleeps; whoever waits, waits for a log event.
"""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.started import Started, command

ANY = '"127.0.0.1:0"'


def text_of(origin: str, *more: str, bind: str = ANY) -> str:
    """Return a configuration; `more` are dotted keys as TOML has them."""
    lines = (
        *more,
        *(f"listener.bind = {bind}", 'ops.bind = "127.0.0.1:0"'),
        *(f'upstreams.{name}.origin = "{origin}"' for name in ("platform", "media")),
        *(() if any("credentials" in one for one in more) else (_NO_CREDENTIAL,)),
        # Nobody reads the log under load, and a pipe that is full would hold everything up.
        *(() if any("log.requests" in one for one in more) else ('log.requests = "errors"',)),
    )
    return "\n".join(lines) + "\n"


_NO_CREDENTIAL = 'credentials.ringcentral.grant = "none"'


@dataclass
class Reloadable:
    """A gateway and its file."""

    file: Path
    started: Started = field(init=False)
    ops: str = ""

    def write(self, text: str) -> None:
        """Give it another configuration, which it has yet to read."""
        self.file.write_text(text)

    async def reload(self, text: str, event: str = "reloaded") -> dict[str, object]:
        """Have the gateway read a new configuration; return the event that tells how it went."""
        self.write(text)
        self.started.process.send_signal(signal.SIGHUP)
        return await self.started.event(event)


@asynccontextmanager
async def reloadable(file: Path, text: str) -> AsyncIterator[Reloadable]:
    """Start a gateway with a configuration, and wait until it listens."""
    gateway = Reloadable(file)
    gateway.write(text)
    async with command("--config", str(file)) as started:
        listening = await started.event("listening")
        binds = listening["binds"]
        assert isinstance(binds, list)
        started.bind = binds[0]
        gateway.started, gateway.ops = started, str(listening["ops"])
        yield gateway

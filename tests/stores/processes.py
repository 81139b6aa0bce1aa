"""Processes with a store each: what they are told to do, and what they answer."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class Process:
    """One process; `kill` and `stop` are signals to it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def ask(self, command: str) -> Any:
        """Give a command, wait for its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(command.encode() + b"\n")
        return json.loads(await self.process.stdout.readline())


@asynccontextmanager
async def holder(place: Mapping[str, Any]) -> AsyncIterator[Process]:
    """Run tests/stores/holder.py over a place, as the fixture `shared_place` gives it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.stores.holder", json.dumps(place)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Process(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()

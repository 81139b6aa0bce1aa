"""SIGKILL before every step of a rotation: the file is whole, and goes on from there."""

import asyncio
import signal
import sys
from pathlib import Path

from gateway.stores.file import FileStore
from tests.stores.crashing import KEY
from tests.stores.processes import ROOT
from tests.stores.telling import Told


async def crash(path: Path, last: int) -> tuple[int | None, bool]:
    """Run the rotation up to a step; return the exit code, and whether the write was promised."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.stores.crashing", str(path), str(last)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    return process.returncode, output == b"written\n"


async def renew(path: Path, told: Told, value: bytes) -> int:
    """Write as the next process would; return the version."""
    store = FileStore(str(path), told, lease_s=60.0)
    lease = await store.lease(KEY)
    assert lease is not None
    assert await lease.write(value)
    await store.close()
    return lease.fence


async def test_a_process_that_is_killed_at_any_step_leaves_a_whole_file(
    file_path: Path, told: Told
) -> None:
    code: int | None = -signal.SIGKILL
    versions = [await renew(file_path, told, b"old")]
    promised: list[bool] = []
    while code != 0:
        code, written = await crash(file_path, len(promised) + 1)
        assert code in (0, -signal.SIGKILL)
        promised.append(written)
        store = FileStore(str(file_path), told)
        entry = await store.read(KEY)
        assert entry is not None
        assert entry.value in ((b"new",) if written else (b"old", b"new"))
        assert entry.version >= versions[-1]
        versions.append(await renew(file_path, told, b"old"))
        assert versions[-1] > entry.version
    assert told.lines == []
    # Two replacements, with a lock around each, and the lease.
    assert len(promised) > 20
    assert promised == sorted(promised)

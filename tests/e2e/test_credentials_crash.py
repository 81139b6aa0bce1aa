"""SIGKILL before every step of a rotation: the next start goes on with the same session."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import cast

import pytest

from gateway import simulator
from gateway.credentials.broker import Broker
from tests.e2e.rotating import NAME, carried_on
from tests.e2e.vendor import vendor
from tests.simulator.asking import log_in, use
from tests.started import ROOT

# An hour is 36 seconds, and the window in which a refresh token may be used again as long.
SCALE = 100


async def crash(upstream: simulator.Running, path: Path, last: int) -> tuple[int | None, bool]:
    """Rotate up to a step; return the exit code, and whether the new token was put to use."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.e2e.rotating", upstream.origin, str(path), str(last)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    return process.returncode, output == b"rotated\n"


async def recover(upstream: simulator.Running, path: Path) -> None:
    """Start as the next process would, and ask until a token is accepted."""
    credentials = carried_on(upstream.origin, str(path))
    credentials.open()
    broker = cast(Broker, credentials.by_name[NAME])
    deadline = asyncio.get_running_loop().time() + 30
    try:
        token = await broker.current(deadline)
        status, *codes = await use(upstream, token.value.reveal().decode())
        if status == 401:
            # As the engine does: once.
            assert broker.refuse(token), codes
            token = await broker.current(deadline)
            status, *codes = await use(upstream, token.value.reveal().decode())
        assert status == 200, codes
    finally:
        await credentials.close()


@pytest.mark.timeout(180)
def test_a_process_that_is_killed_at_any_step_keeps_its_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    asyncio.run(walk(tmp_path / "tokens.json", monkeypatch))


async def walk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A fast machine makes more than five calls in the vendor's minute, which is 0.6 seconds.
    async with vendor(SCALE, limits={"Auth": 1000}) as upstream:
        session = await log_in(upstream)
        monkeypatch.setenv("FIRST_REFRESH_TOKEN", session["refresh_token"])
        await recover(upstream, path)
        code: int | None = -signal.SIGKILL
        steps = 0
        while code != 0:
            steps += 1
            code, rotated = await crash(upstream, path, steps)
            assert code in (0, -signal.SIGKILL)
            assert rotated == (code == 0)
            await recover(upstream, path)
            assert upstream.control.report()["sessions_made"] == 1, f"step {steps}"
    # Two replacements of the file, with a lock around each, the call, its answer, its use.
    assert steps > 20
    assert os.stat(path).st_mode & 0o077 == 0

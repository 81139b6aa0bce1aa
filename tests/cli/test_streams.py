"""gateway/cli/streams.py: standard streams that are closed, or full."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway import __version__
from tests.wire import PATIENCE_S

ALL_CLOSED = "<&- >&- 2>&-"


def start(redirection: str, *words: str) -> subprocess.Popen[str]:
    """Run a command of the gateway with its streams redirected as a shell does it."""
    script = f'exec "$@" {redirection}'
    command = ("sh", "-c", script, "sh", sys.executable, "-m", "gateway", *words)
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Return the exit code, and what was written to either stream."""
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, out, err


@pytest.mark.parametrize("redirection", ["<&-", ">&-", "2>&-", ALL_CLOSED])
def test_a_command_does_its_work_whatever_is_closed(redirection: str) -> None:
    code, out, err = end(start(redirection, "version"))
    is_shown = ">&-" not in redirection.replace("2>&-", "").split()
    assert (code, err) == (0, "")
    assert (__version__ in out) is is_shown


@pytest.mark.parametrize("redirection", [">&-", "2>&-", ALL_CLOSED])
def test_bad_usage_is_bad_usage_whoever_reads_of_it(redirection: str) -> None:
    assert end(start(redirection, "nonsense"))[0] == 2


@pytest.mark.parametrize("words", [("version",), ("config", "schema")])
def test_output_for_which_there_is_no_room_is_told_of_in_one_line(words: tuple[str, ...]) -> None:
    code, _, err = end(start(">/dev/full", *words))
    assert code == os.EX_IOERR
    assert err == "rc-gateway: what it says cannot be written: No space left on device\n"


@pytest.mark.parametrize("redirection", ["<&-", ">&-", ALL_CLOSED])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_gateway_serves_and_drains_whatever_is_closed(
    redirection: str, workers: str, tmp_path: Path
) -> None:
    ops = tmp_path / "ops.sock"
    settings = ("listener.bind=127.0.0.1:0", f"ops.bind=unix:{ops}", f"engine.workers={workers}")
    sets = (word for setting in settings for word in ("--set", setting))
    process = start(redirection, "serve", "--simulator", *sets)
    give_up = time.monotonic() + PATIENCE_S
    while end(start("", "healthcheck", f"unix:{ops}"))[0] != 0:
        assert time.monotonic() < give_up
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    code, _, err = end(process)
    assert (code, err) == (0, "")

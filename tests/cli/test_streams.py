"""gateway/cli/streams.py: standard streams that are closed, or full."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gateway import __version__
from tests.wire import PATIENCE_S

ALL_CLOSED = "<&- >&- 2>&-"


def start(redirection: str, *words: str, out: int = subprocess.PIPE) -> subprocess.Popen[str]:
    """Run a command of the gateway with its streams redirected as a shell does it."""
    script = f'exec "$@" {redirection}'
    command = ("sh", "-c", script, "sh", sys.executable, "-m", "gateway", *words)
    return subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True)


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


@pytest.mark.parametrize("redirection", ["<&-", ">&-", ALL_CLOSED, ">/dev/full"])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_gateway_serves_and_drains_whatever_is_closed_or_full(
    redirection: str, workers: str, tmp_path: Path
) -> None:
    ops = tmp_path / "ops.sock"
    settings = ("listener.bind=127.0.0.1:0", f"ops.bind=unix:{ops}", f"engine.workers={workers}")
    sets = (word for setting in settings for word in ("--set", setting))
    process = start(redirection, "serve", "--simulator", *sets)
    wait_until(process, lambda: is_ready(ops))
    process.send_signal(signal.SIGTERM)
    code, _, err = end(process)
    assert (code, err) == (0, "")


def wait_until(process: subprocess.Popen[str], holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < give_up
        assert process.poll() is None


def is_ready(ops: Path) -> bool:
    return end(start("", "healthcheck", f"unix:{ops}"))[0] == 0


class Far:
    """A pipe that has no room."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.writer, False)
        with suppress(BlockingIOError):
            while True:
                os.write(self.writer, b" " * 4096)
        os.set_blocking(self.writer, True)

    def start(self, *words: str) -> subprocess.Popen[str]:
        process = start("", *words, out=self.writer)
        os.close(self.writer)
        return process

    def read_until(self, words: bytes) -> None:
        read = b""
        while words not in read:
            data = os.read(self.reader, 65536)
            assert data
            read += data


@pytest.fixture
def far() -> Iterator[Far]:
    far = Far()
    yield far
    os.close(far.reader)


def test_a_gateway_serves_before_anybody_reads_what_it_prints(far: Far, tmp_path: Path) -> None:
    ops = tmp_path / "ops.sock"
    sets = ("--set", "listener.bind=127.0.0.1:0", "--set", f"ops.bind=unix:{ops}")
    process = far.start("serve", "--simulator", *sets)
    wait_until(process, lambda: is_ready(ops))
    far.read_until(b"\nCtrl-C stops it.\n")
    process.send_signal(signal.SIGTERM)
    code, _, err = end(process)
    assert (code, err) == (0, "")


@pytest.mark.parametrize("is_read", [True, False])
def test_a_simulator_serves_before_anybody_reads_what_it_prints(far: Far, is_read: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        host, port = free.getsockname()
    process = far.start("simulate", "--bind", f"{host}:{port}")
    wait_until(process, lambda: answers(host, port))
    if is_read:
        far.read_until(b"/restapi/oauth/token'\n")
    process.send_signal(signal.SIGTERM)
    code, _, err = end(process)
    assert (code, err) == (0, "")


def answers(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(PATIENCE_S)
        if probe.connect_ex((host, port)) != 0:
            return False
        probe.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return probe.recv(8) == b"HTTP/1.1"

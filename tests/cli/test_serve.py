"""`rc-gateway serve`, as a process: what it prints, and how it ends."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.cli import main

ANYWHERE = ("--set", "listener.bind=127.0.0.1:0", "--set", "ops.bind=127.0.0.1:0")


class Served:
    """A gateway with the simulator, and the commands that it printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.commands: list[str] = []
        while len(self.commands) < 3:
            self.commands.append(self.line("curl ").rstrip("\n"))

    def line(self, words: str) -> str:
        """Return the next line that it prints with these words in it."""
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            if words in line:
                return line
        raise AssertionError(f"it ended before it printed {words!r}")


@contextmanager
def serve(*sets: str) -> Iterator[Served]:
    words = [sys.executable, "-m", "gateway", "serve", "--simulator", *sets]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        yield Served(process)
        process.kill()


@pytest.fixture
def served() -> Iterator[Served]:
    with serve(*ANYWHERE) as served:
        yield served


def call(command: str) -> str:
    words = [*shlex.split(command), "--silent", "--show-error"]
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=20).stdout


def test_the_printed_commands_work_in_order_and_a_signal_drains(served: Served) -> None:
    delete, update, search = served.commands
    assert call(delete).startswith("HTTP/1.1 204 ")
    gone = call(delete.replace("-X POST", "").replace("?_method=DELETE", ""))
    assert gone.startswith("HTTP/1.1 404 ")
    assert '"readStatus" : "Read"' in call(update)
    kinds = set(re.findall('"type" : "(SMS|Pager|Fax|VoiceMail)"', call(search)))
    assert kinds == {"SMS", "Pager"}
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(20) == 0


def test_the_simulator_is_the_vendor_after_a_reload_too(served: Served) -> None:
    served.process.send_signal(signal.SIGHUP)
    assert '"changed":[]' in served.line('"reloaded"')
    assert call(served.commands[0]).startswith("HTTP/1.1 204 ")


def test_the_printed_commands_work_through_a_socket_when_there_is_no_port(tmp_path: Path) -> None:
    with serve(*ANYWHERE, "--set", f"listener.bind=unix:{tmp_path}/data.sock") as served:
        assert all(f"--unix-socket {tmp_path}/data.sock " in line for line in served.commands)
        delete, _, search = served.commands
        assert call(delete).startswith("HTTP/1.1 204 ")
        assert '"type" : "SMS"' in call(search)


def test_a_port_is_printed_rather_than_a_socket(tmp_path: Path) -> None:
    binds = f'["unix:{tmp_path}/data.sock", "127.0.0.1:0"]'
    with serve(*ANYWHERE, "--set", f"listener.bind={binds}") as served:
        assert "--unix-socket" not in served.commands[0]
        assert call(served.commands[0]).startswith("HTTP/1.1 204 ")


def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        sets = ("--set", f"listener.bind={bind}", "--set", "ops.bind=127.0.0.1:0")
        words = [sys.executable, "-m", "gateway", "serve", "--simulator", *sets]
        ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == os.EX_OSERR == 71
    assert ended.stderr.startswith(f"cannot listen on {bind}: ")
    assert ended.stderr.count("\n") == 1


def test_without_a_credential_it_does_not_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in list(os.environ):
        if name.startswith(("RC_", "RCGW_")):
            monkeypatch.delenv(name)
    assert main(["serve"]) == os.EX_CONFIG == 78
    error = capsys.readouterr().err
    assert error.startswith("1 problem in the configuration:\ncredentials.ringcentral: RC_APP")


@pytest.mark.parametrize(("pid", "ended"), [(1, 143), (2, -signal.SIGTERM)])
def test_as_the_first_process_of_a_container_a_start_ends_by_sigterm(pid: int, ended: int) -> None:
    # Whoever handles it ends by an exit, and so does the first process; others as ever.
    code = (
        "import os, signal\n"
        "from gateway.cli.serve import heed_sigterm\n"
        f"heed_sigterm({pid})\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
        "signal.pause()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=30, check=False)
    assert done.returncode == ended

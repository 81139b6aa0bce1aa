"""The simulator alone, as a process."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys

import pytest

from gateway.cli import main
from gateway.cli.simulate import parse_bind, parse_scale
from gateway.config.binds import Bind


def test_it_serves_the_commands_that_it_prints_until_it_is_stopped() -> None:
    words = [sys.executable, "-m", "gateway", "simulate", "--bind", "127.0.0.1:0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert "simulator listens on http://127.0.0.1:" in running.stdout.readline()
        running.stdout.readline()
        for expected in (b'"id"', b'"access_token"'):
            command = shlex.split(running.stdout.readline())
            answer = subprocess.run(
                [*command, "--silent", "--fail"], capture_output=True, check=True
            )
            assert expected in answer.stdout
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 0


def test_a_port_in_use_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        assert main(["simulate", "--bind", bind]) == os.EX_OSERR == 71
    error = capsys.readouterr().err
    assert error.startswith(f"cannot listen on {bind}: ")
    assert "in use" in error
    assert error.count("\n") == 1


def test_a_bind_is_read_as_the_configuration_reads_it() -> None:
    assert parse_bind("[::1]:0") == Bind("::1", 0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("9080", "has no port"), ("h:65536", "is not a port"), ("unix:/x", "TCP only")],
)
def test_what_is_no_bind_is_a_usage_error(
    text: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", "--bind", text]) == 2
    error = capsys.readouterr().err
    assert "argument --bind: " in error
    assert reason in error


def test_a_time_scale_is_said_by_the_answers() -> None:
    words = [sys.executable, "-m", "gateway", "simulate", "--bind", "127.0.0.1:0"]
    with subprocess.Popen(
        [*words, "--time-scale", "600"], stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()
        running.stdout.readline()
        command = shlex.split(running.stdout.readline())
        answer = subprocess.run(
            [*command, "--silent", "--fail", "--include"], capture_output=True, check=True
        )
        assert b"X-Rate-Limit-Window: 0.1\r\n" in answer.stdout
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 0


@pytest.mark.parametrize(("options", "last"), [((), 200), (("--enforce-rates",), 429)])
def test_rates_are_counted_only_unless_they_are_to_be_enforced(
    options: tuple[str, ...], last: int
) -> None:
    words = [sys.executable, "-m", "gateway", "simulate", "--bind", "127.0.0.1:0", *options]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        running.stdout.readline()
        running.stdout.readline()
        *command, account = shlex.split(running.stdout.readline())
        # The call log takes ten requests a minute.
        command += ["--silent", "--include", f"{account}/call-log?page=[1-11]"]
        answers = subprocess.run(command, capture_output=True, check=True).stdout
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 0
    statuses = re.findall(rb"HTTP/1.1 (\d+) ", answers)
    assert [int(status) for status in statuses] == [200] * 10 + [last]


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "x"])
def test_what_is_no_time_scale_is_a_usage_error(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert parse_scale("0.5") == 0.5
    assert main(["simulate", f"--time-scale={text}"]) == 2
    assert "is not a number above 0" in capsys.readouterr().err


def test_the_help_names_every_action_of_the_control_endpoint(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["simulate", "--help"]) == 0
    shown = capsys.readouterr().out
    actions = ("seen", "expire", "fail", "stall", "drop", "release", "rates", "reset")
    assert all(f"/-/simulator/{action}" in shown for action in actions)

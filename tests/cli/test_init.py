"""The command line as a whole: usage, exit codes, and that nothing ends in a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import __version__, cli
from gateway.cli import main

COMMANDS = ("serve", "check", "explain", "simulate", "config", "healthcheck", "version")
SUBCOMMANDS = (*((name,) for name in COMMANDS), ("config", "show"), ("config", "schema"))
HEAVY = ("asyncio", "aiohttp", "pydantic", "structlog", "orjson", "uvloop", "prometheus_client")


@pytest.mark.parametrize("words", [(), *SUBCOMMANDS])
def test_every_help_shows_an_example(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--help"]) == 0
    assert f"example:\n  rc-gateway {' '.join(words)}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["token"],
        ["docter"],
        ["config"],
        ["serve", "--nonsense"],
        ["serve", "--sim"],
        ["explain"],
        ["explain", "-H", "nonsense", "/x"],
        ["check", "extra"],
    ],
)
def test_a_usage_error_is_two_and_says_what_was_wrong(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "rc-gateway" in captured.err
    assert "error: " in captured.err


def test_version_is_an_option_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"rc-gateway {__version__}\n"


@pytest.mark.parametrize("command", [["serve"], ["check"], ["explain", "/x"], ["config", "show"]])
def test_a_bad_configuration_is_78_with_every_problem(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.toml"
    file.write_text('[log]\nlevel = "loud"\n[listner]\nbind = 1\n')
    assert main([*command, "--config", str(file)]) == 78 == os.EX_CONFIG
    captured = capsys.readouterr()
    count, *problems = captured.err.splitlines()
    assert count == f"{len(problems)} problems in the configuration:"
    paths = {problem.partition(":")[0] for problem in problems}
    # What is only looked at needs no credential.
    is_served = command[0] in ("serve", "check")
    missing = {"credentials.ringcentral"} if is_served else set()
    assert paths == {"listner", "log.level"} | missing
    assert captured.out == ""


def test_an_interrupt_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.version, "run", interrupt)
    assert main(["version"]) == 130


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    words = [sys.executable, "-m", "gateway", "config", "schema"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait() == 141


def test_a_name_that_the_terminal_cannot_show_is_no_traceback(tmp_path: Path) -> None:
    file = os.fsencode(tmp_path / "caf") + b"\xe9.toml"
    Path(os.fsdecode(file)).write_text(
        '[credentials.ringcentral]\ngrant = "static"\ntoken = "literal:x"\n'
    )
    ended = subprocess.run(
        [sys.executable, "-m", "gateway", "config", "show", "--config", file],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=False,
    )
    assert ended.stderr == b""
    assert ended.returncode == 0
    assert b"caf\\udce9.toml" in ended.stdout


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from gateway.cli import main; main(['--help']);"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines()[-1] == "[]"

"""Options that several commands share."""

import argparse
from pathlib import Path

import pytest

from gateway.cli.options import add_command, add_config_options


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    command = add_command(
        parser.add_subparsers(), "do", "do something", "rc-gateway do", lambda _: 7
    )
    add_config_options(command)
    return parser


def test_a_command_carries_what_runs_it() -> None:
    arguments = make_parser().parse_args(["do"])
    assert arguments.run(arguments) == 7
    assert (arguments.config, arguments.set) == ([], [])


def test_files_and_settings_keep_their_order() -> None:
    arguments = make_parser().parse_args(
        ["do", "--config", "a", "--set", "x=1", "--config", "b", "--set", "x=2"]
    )
    assert arguments.config == [Path("a"), Path("b")]
    assert arguments.set == ["x=1", "x=2"]


@pytest.mark.parametrize("text", ["x", "", "listener.bind"])
def test_a_setting_without_a_value_is_a_usage_error(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        make_parser().parse_args(["do", "--set", text])
    assert stopped.value.code == 2
    assert f"{text!r} is not KEY=VALUE" in capsys.readouterr().err


def test_a_file_without_a_name_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        make_parser().parse_args(["do", "--config", ""])
    assert stopped.value.code == 2
    assert "--config: is empty; write the name of a file" in capsys.readouterr().err

"""What the commands' options have in common: how one is declared, and where a config comes from.

Every command has an example in its help, because that is what people read.

Rule: importing a command is cheap; what it needs is imported when it runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

Run: TypeAlias = Callable[[argparse.Namespace], int]
# The type that `add_subparsers` returns has no public name.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_command(
    commands: Commands, name: str, summary: str, example: str, run: Run
) -> argparse.ArgumentParser:
    """Declare a command that `run` carries out, and return its parser."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    return parser


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Declare `--config` and `--set`."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=_file,
        action="append",
        default=[],
        help="a TOML file; may be repeated, later files win",
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        type=_setting,
        action="append",
        default=[],
        help="one setting, e.g. log.level=debug; wins over files and environment",
    )


def _file(text: str) -> Path:
    if not text:
        # As of a variable that is not set; it would be read as this folder.
        raise argparse.ArgumentTypeError("is empty; write the name of a file")
    return Path(text)


def _setting(text: str) -> str:
    if "=" not in text:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return text

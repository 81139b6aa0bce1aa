"""The command line: `rc-gateway COMMAND`.

One module for each command declares its options and carries it out. Here the commands
are put together, and what they raise becomes a line and an exit code.

Rule 1: bad input ends with a message and 2, 71 or 78, never with a traceback; no room for
        output with 74.
Rule 2: importing this package imports nothing heavy, so that `--help` and `healthcheck`
        answer at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from types import ModuleType

from gateway import __version__
from gateway.cli import (
    check,
    config,
    doctor,
    explain,
    healthcheck,
    serve,
    simulate,
    token,
    version,
    work,
)
from gateway.cli.problems import print_problems
from gateway.cli.streams import forget_stdout, is_unwritten, settle_streams
from gateway.errors import ConfigError

_COMMANDS = (serve, check, explain, doctor, simulate, config, token, healthcheck, version)
# What shells report for a program that SIGINT or SIGPIPE ended.
_INTERRUPTED = 130
_PIPE_CLOSED = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `argv` is without the program's name."""
    settle_streams()
    given = sys.argv[1:] if argv is None else argv
    # Our own processes say it; to anybody else, not even an error names it.
    commands = (work,) if given[:1] == ["work"] else _COMMANDS
    try:
        arguments = build_parser(commands).parse_args(given)
    except SystemExit as ended:
        # argparse has printed the help, or what is wrong with the usage.
        return ended.code if isinstance(ended.code, int) else 0
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except ConfigError as error:
        print_problems(error.problems)
        return os.EX_CONFIG
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        forget_stdout()
        return _PIPE_CLOSED
    except OSError as error:
        if not is_unwritten(error):
            raise
        forget_stdout()
        print(f"rc-gateway: what it says cannot be written: {error.strerror}", file=sys.stderr)
        return os.EX_IOERR
    return code


def build_parser(commands: Sequence[ModuleType] = _COMMANDS) -> argparse.ArgumentParser:
    """Return the parser of all commands, or of others."""
    parser = argparse.ArgumentParser(
        prog="rc-gateway",
        description="A reverse proxy for the RingCentral APIs.",
        epilog="example:\n  rc-gateway serve --simulator",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"rc-gateway {__version__}")
    known = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in commands:
        command.add(known)
    return parser

"""`rc-gateway work`: one worker of `serve`, which starts it; nobody else needs it.

Its sockets and its configuration come from the process that started it, over a descriptor
that it inherits. So it is not listed among the commands.

Rule: without a parent there is nothing to do.
"""

from __future__ import annotations

import argparse
import os
import stat

from gateway.cli.options import Commands


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "work", description="One worker of rc-gateway serve, which starts it.", allow_abbrev=False
    )
    parser.add_argument("descriptor", type=_parse_descriptor, help="the parent's socket")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until the parent says stop; raises `ConfigError`."""
    from gateway.app.process import work

    return work(arguments.descriptor)


def _parse_descriptor(text: str) -> int:
    try:
        if stat.S_ISSOCK(os.fstat(int(text)).st_mode):
            return int(text)
    except (ValueError, OverflowError, OSError):
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is no socket; run: rc-gateway serve")

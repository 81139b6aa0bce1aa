"""`rc-gateway version`: what runs here, for people and for bug reports.

Rule: without `--json` nothing but the version is looked up.
"""

from __future__ import annotations

import argparse
import platform

from gateway import __version__
from gateway.cli.options import Commands, add_command


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "version", "print the version", "rc-gateway version --json", run)
    parser.add_argument(
        "--json", action="store_true", help="also Python, aiohttp, parser, event loop and PCRE2"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the version."""
    if not arguments.json:
        print(f"rc-gateway {__version__}")
        return 0
    import json

    print(json.dumps(describe(), indent=2))
    return 0


def describe() -> dict[str, str | None]:
    """Return the versions, the kind of HTTP parser (`c` or `python`) and the event loop.

    `pcre2` is None where links are rewritten without it.
    """
    from importlib import metadata

    import aiohttp
    from aiohttp.helpers import NO_EXTENSIONS

    from gateway.engine import pcre2

    return {
        "version": __version__,
        "python": platform.python_version(),
        "aiohttp": aiohttp.__version__,
        "parser": "python" if NO_EXTENSIONS else "c",
        "event_loop": f"uvloop {metadata.version('uvloop')}",
        "pcre2": pcre2.describe(),
    }

"""`rc-gateway token status`: what a running gateway knows of its credentials.

Metadata only: kind, expiry, generation, how the last attempt to have a newer token ended.
The gateway itself is asked, at the ops listener that the configuration names.

Rule: a token is not printed here, because it never gets here.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

from gateway.cli.ops_listener import TIMEOUT_S, NoAnswer, UnixConnection, ask
from gateway.cli.options import Commands, add_command, add_config_options

if TYPE_CHECKING:
    from gateway.config.binds import Bind

_MAX_ANSWER_BYTES = 1_048_576
_TITLES = ("credential", "grant", "generation", "expires", "last outcome", "remark")


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "token",
        "show what a running gateway knows of its tokens",
        "rc-gateway token status --config sidecar.toml",
        run,
    )
    parser.add_argument(
        "what", choices=("status",), metavar="status", help="metadata, never a token"
    )
    add_config_options(parser)
    parser.add_argument("--json", action="store_true", help="print the same as data")


def run(arguments: argparse.Namespace) -> int:
    """Print the status of each credential; 1 when the gateway does not answer.

    Raises `ConfigError`.
    """
    from gateway.config.load import load

    bind = load(arguments.config, arguments.set, os.environ).config.ops.bind
    try:
        status, body = ask(_connection(bind), "/credentials", _MAX_ANSWER_BYTES)
    except NoAnswer as error:
        print(f"no gateway answers at {bind}: {error}", file=sys.stderr)
        return 1
    if status != 200:
        print(f"{bind} answered {status}; is it the ops listener of a gateway?", file=sys.stderr)
        return 1
    document = json.loads(body)
    print(json.dumps(document, indent=2) if arguments.json else render(document, time.time()))
    return 0


def render(document: Mapping[str, Any], now: float) -> str:
    """Return a table of the credentials, and a line on the store when it is in trouble."""
    rows = [_TITLES]
    for name, status in document["credentials"].items():
        rows.append(
            (
                name,
                status["grant"],
                str(status["generation"] or "-"),
                _show_time(status["expires_at"], now),
                status["outcome"],
                _remark(status, now),
            )
        )
    if len(rows) == 1:
        return "this gateway owns no credential"
    widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    if document["store"]["trouble"]:
        lines.append(f"the store is down: {document['store']['trouble']}")
    return "\n".join(lines)


def _connection(bind: Bind) -> HTTPConnection:
    if bind.path is not None:
        return UnixConnection(bind.path)
    # A bind of every interface is reached by the loopback one.
    host = "localhost" if bind.is_wildcard else str(bind.host)
    return HTTPConnection(host, bind.port, timeout=TIMEOUT_S)


def _show_time(at: float | None, now: float) -> str:
    if at is None:
        return "-"
    seconds = round(at - now)
    unit, size = next(
        (pair for pair in (("d", 86400), ("h", 3600), ("min", 60)) if abs(seconds) >= 2 * pair[1]),
        ("s", 1),
    )
    count = abs(seconds) // size
    return f"in {count} {unit}" if seconds >= 0 else f"{count} {unit} ago"


def _remark(status: Mapping[str, Any], now: float) -> str:
    if not status["reason"]:
        return ""
    retry_at = status["retry_at"]
    next_try = f"; next try {_show_time(retry_at, now)}" if retry_at is not None else ""
    return f"{status['reason']}{next_try}"

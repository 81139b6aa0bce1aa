"""`rc-gateway healthcheck`: ask a running gateway whether it is ready, for containers.

Runs every few seconds beside the gateway, so it imports little and waits little.

Rule: ready is 200; everything else, no answer too, is not.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from http.client import HTTPConnection
from urllib.parse import urlsplit

from gateway.cli.ops_listener import TIMEOUT_S, NoAnswer, UnixConnection, ask
from gateway.cli.options import Commands, add_command

DEFAULT_URL = "http://127.0.0.1:9902/readyz"
# A list of checks is a few lines.
_MAX_ANSWER_BYTES = 4096


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "healthcheck",
        "ask a running gateway whether it is ready",
        "rc-gateway healthcheck http://127.0.0.1:9902/readyz",
        run,
    )
    parser.add_argument(
        "url",
        metavar="URL",
        nargs="?",
        type=_parse_url,
        help="http://HOST:PORT[/PATH] or unix:/SOCKET "
        f"(default: what RCGW_OPS__BIND names, else {DEFAULT_URL})",
    )


def default_url(environ: Mapping[str, str]) -> str:
    """Return where a gateway with this environment answers probes, or raise ValueError."""
    text = environ.get("RCGW_OPS__BIND")
    if text is None:
        return DEFAULT_URL
    from gateway.config.binds import Bind, parse_bind
    from gateway.config.layers import parse_value

    bind = parse_bind(str(parse_value(text)))
    if bind.path is not None:
        return str(bind)
    # A bind of every interface is reached by the loopback one.
    return f"http://{Bind('localhost', bind.port) if bind.is_wildcard else bind}/readyz"


def run(arguments: argparse.Namespace) -> int:
    """Return 0 when the gateway is ready, else say why not and return 1."""
    try:
        connection, path = arguments.url or _parse_url(default_url(os.environ))
    except ValueError as error:
        print(f"not ready: RCGW_OPS__BIND: {error}", file=sys.stderr)
        return 1
    try:
        status, body = ask(connection, path, _MAX_ANSWER_BYTES)
    except NoAnswer as error:
        print(f"not ready: {error}", file=sys.stderr)
        return 1
    if status == 200:
        return 0
    text = body.decode("ascii", "backslashreplace")
    print(f"not ready: {status}\n{text}".rstrip(), file=sys.stderr)
    return 1


def _parse_url(url: str) -> tuple[HTTPConnection, str]:
    """Return a connection, not yet open, and the path to ask for."""
    if url.startswith("unix:/"):
        return UnixConnection(url.removeprefix("unix:")), "/readyz"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{url!r}: {error}") from None
    if parts.scheme != "http" or not parts.hostname:
        raise argparse.ArgumentTypeError(f"{url!r} is not http://HOST:PORT or unix:/SOCKET")
    path = parts.path or "/readyz"
    target = f"{path}?{parts.query}" if parts.query else path
    return HTTPConnection(parts.hostname, port or 80, timeout=TIMEOUT_S), target

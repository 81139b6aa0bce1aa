"""`rc-gateway explain`: what the gateway would do with this request, and why.

The product's calling card: any request that a person can write as a curl command is
taken apart rule by rule, with no network and no secret needed.

Rule: a credential that is not configured does not matter here, because none is sent; it
is taken to be a static token, and that is said.
"""

from __future__ import annotations

import argparse
import os
import sys

from gateway.cli.assume import load_assuming
from gateway.cli.curl import add_request_options, join_body
from gateway.cli.options import Commands, add_command, add_config_options

_EXAMPLE = "rc-gateway explain -X POST '/restapi/v1.0/account/~?_method=DELETE'"


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "explain", "show what becomes of a request", _EXAMPLE, run)
    add_config_options(parser)
    add_request_options(parser)
    parser.add_argument("--json", action="store_true", help="print the same as data")


def run(arguments: argparse.Namespace) -> int:
    """Explain; 0 when the request would be forwarded, 1 when it would be refused."""
    import json

    from gateway.cli.explain_input import build_head
    from gateway.cli.explain_text import render_data, render_text
    from gateway.cli.explanation import RefusedAt, explain
    from gateway.config.compile import compile_policy, retry_rules

    loaded, missing = load_assuming(arguments.config, arguments.set, os.environ)
    for path in missing:
        print(f"{path} is not configured; assuming a static token", file=sys.stderr)
    config = loaded.config
    explanation = explain(
        build_head(arguments, config.listener.bind[0]),
        compile_policy(config),
        body_bytes=len(join_body(arguments.body) or b""),
        replay_body_bytes=config.limits.replay_body_bytes,
        rules=retry_rules(config),
    )
    if arguments.json:
        print(json.dumps(render_data(explanation), indent=2))
    else:
        print(render_text(explanation), end="")
    return 1 if isinstance(explanation.outcome, RefusedAt) else 0

"""`rc-gateway check`: is this configuration fit to serve.

Loads and validates it and resolves every secret and file that it refers to, as `serve`
does, but opens nothing. All problems are listed at once.

Rule: what `check` accepts, `serve` starts with, unless an address is taken.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gateway.cli.options import Commands, add_command, add_config_options
from gateway.errors import ConfigError, Problem

if TYPE_CHECKING:
    from gateway.config.model import Config


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands, "check", "check a configuration", "rc-gateway check --config sidecar.toml", run
    )
    add_config_options(parser)
    parser.add_argument("--json", action="store_true", help="print the verdict as data")


def run(arguments: argparse.Namespace) -> int:
    """Check; 0 when all is well, 78 with all problems when not."""
    from gateway.config.cautions import cautions
    from gateway.config.load import load

    try:
        loaded = load(arguments.config, arguments.set, os.environ, resolve=True)
    except ConfigError as error:
        if not arguments.json:
            raise
        _print_data(error.problems, ())
        return os.EX_CONFIG
    if arguments.json:
        _print_data((), tuple(cautions(loaded.config)))
    else:
        print(render_summary(loaded.config, os.environ))
    return 0


def render_summary(config: Config, environ: Mapping[str, str]) -> str:
    """Return in a few lines what would be served, and by which proxies."""
    from gateway.config.cautions import cautions
    from gateway.config.proxies import proxy_of

    binds = ", ".join(map(str, config.listener.bind))
    lines = ["The configuration is fit to serve.", "", f"listener  {binds}"]
    lines.append(f"ops       {config.ops.bind}")
    if config.engine.workers != 1:
        lines.append(f"workers   {config.engine.workers}")
    for name, upstream in config.upstreams.items():
        grant = config.credentials[upstream.credential].grant
        proxy = proxy_of(upstream.origin, upstream, environ)
        way = f", by {proxy}" if proxy else ""
        lines.append(f"upstream  {name}: {upstream.origin}, {upstream.credential} ({grant}){way}")
    lines += [f"caution   {caution}" for caution in cautions(config)]
    return "\n".join(lines)


def _print_data(problems: Sequence[Problem], cautions: Sequence[Problem]) -> None:
    import json

    verdict = {"ok": not problems, "problems": _listed(problems), "cautions": _listed(cautions)}
    print(json.dumps(verdict, indent=2))


def _listed(problems: Sequence[Problem]) -> list[dict[str, str]]:
    return [{"path": problem.path, "message": problem.message} for problem in problems]

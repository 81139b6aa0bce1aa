"""`rc-gateway config show` and `config schema`: what is configured, and what can be.

`show` prints every setting with the source of its value, in a form that can be read
back as TOML; one without a value is a comment. A literal secret is masked; a reference is
shown, because it holds none.

Rule: what is shown is what `serve` would run with; what that needs besides is said.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

from gateway.cli.assume import load_assuming
from gateway.cli.options import Commands, add_command, add_config_options


def add(commands: Commands) -> None:
    """Declare the command and its two subcommands."""
    parser = commands.add_parser(
        "config",
        help="show the effective configuration, or its schema",
        description="Show the effective configuration, or its schema.",
        epilog="example:\n  rc-gateway config show --config sidecar.toml",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    subcommands = parser.add_subparsers(metavar="show|schema", required=True)
    example = "rc-gateway config show --config sidecar.toml --set log.level=debug"
    show = add_command(
        subcommands, "show", "print every setting and where it comes from", example, run_show
    )
    add_config_options(show)
    add_command(
        subcommands,
        "schema",
        "print the JSON Schema of a configuration",
        "rc-gateway config schema > rc-gateway.schema.json",
        run_schema,
    )


def run_show(arguments: argparse.Namespace) -> int:
    """Print `path = value  # source`, a setting a line, `# path  # unset` for one without."""
    loaded, missing = load_assuming(arguments.config, arguments.set, os.environ)
    for path in missing:
        print(f"{path} is not configured; this cannot serve, see `check`", file=sys.stderr)
    assumed = tuple(f"{path}." for path in missing)
    rows = [
        (f"# {path}" if value is None else f"{path} = {json.dumps(value)}", source)
        for path, value, source in loaded.all_rows()
        if not path.startswith(assumed)
    ]
    # A long list of routes moves its own line only.
    width = max(len(setting) for setting, _ in rows if len(setting) < 60)
    for setting, source in rows:
        print(f"{setting:<{width}}  # {source}")
    return 0


def run_schema(_arguments: argparse.Namespace) -> int:
    """Print the schema."""
    from gateway.config.model import Config

    print(json.dumps(Config.model_json_schema(), indent=2))
    return 0

"""`rc-gateway doctor`: what stands between this machine and the vendor, and what to set.

Each upstream is probed as it is configured, with its proxy and its authorities, by
requests that carry no credential. A running gateway is neither needed nor asked.

Rule: what is advised is TOML that can be copied, or a comment in it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from gateway.cli.assume import load_assuming
from gateway.cli.options import Commands, add_command, add_config_options

if TYPE_CHECKING:
    from gateway.config.model import Config
    from gateway.policy.findings import Finding

_EXAMPLE = "rc-gateway doctor --config sidecar.toml --upstream platform"


@dataclass(frozen=True, slots=True)
class Report:
    """What was found on the path to one upstream, and what to write."""

    upstream: str
    origin: str
    proxy: str
    findings: tuple[Finding, ...]
    advice: tuple[str, ...]


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "doctor", "probe the path to the upstreams", _EXAMPLE, run)
    add_config_options(parser)
    parser.add_argument("--upstream", metavar="NAME", help="only this one (default: each one)")
    parser.add_argument("--json", action="store_true", help="print the same as data")


def run(arguments: argparse.Namespace) -> int:
    """Probe; 0 when all is well, 1 when a hop blocks or changes something, 2 for no upstream."""
    import asyncio
    import json

    config = load_assuming(arguments.config, arguments.set, os.environ)[0].config
    names = [arguments.upstream] if arguments.upstream else list(config.upstreams)
    if not config.upstreams.keys() >= set(names):
        known = ", ".join(config.upstreams)
        print(f"--upstream: {names[0]!a} is not configured; there is {known}", file=sys.stderr)
        return 2
    reports = asyncio.run(_examine(config, names, os.environ))
    if arguments.json:
        print(json.dumps([asdict(report) for report in reports], indent=2))
    else:
        print("\n\n".join(map(render_report, reports)))
    return int(any(finding.is_trouble for report in reports for finding in report.findings))


async def _examine(
    config: Config, names: Sequence[str], environ: Mapping[str, str]
) -> list[Report]:
    from gateway.ops.doctor import Doctor
    from gateway.policy.advice import advise
    from gateway.policy.findings import judge

    reports = []
    for name in names:
        heard = await Doctor(config, name, environ).examine()
        found = judge(heard)
        origin = str(config.upstreams[name].origin)
        reports.append(Report(name, origin, heard.proxy, found, advise(heard, found)))
    return reports


def render_report(report: Report) -> str:
    """Return a report for people: a line for each finding, then what to write."""
    way = f" by {report.proxy}" if report.proxy else ""
    lines = [f"{report.upstream}, {report.origin}{way}", ""]
    width = max(len(finding.about) for finding in report.findings)
    lines += [
        f"{finding.verdict:<7}  {finding.about:<{width}}  {finding.hop:<9}  {finding.text}"
        for finding in report.findings
    ]
    if report.advice:
        lines += ["", "What to write, or to ask for:", *(f"  {line}" for line in report.advice)]
    return "\n".join(lines)

"""The file that a run leaves: what ran, where, when and how, the table, what fell short."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime

from tests.bench import machine
from tests.bench.peers import UNREWRITTEN, VARIANTS, Peer, version_of
from tests.bench.report import (
    MAIN_LANE_TARGETS,
    Samples,
    render_reference,
    render_table,
    render_targets,
)

_INTRODUCTION = """\
One run, all peers in turn on one core of their own; origin and load share the other.
"plain" is a GET with an answer of 400 bytes; "norm" is the job itself: a POST with an
override becomes that method, `User-Agent` and `Authorization` are set, which each peer does
by its own configuration. 64 keep-alive connections unless said otherwise. Ratios are medians
of the ratios to nginx in the same round; less is better, but for requests/s and reuse.
Added latency is what the same request takes longer than without a proxy. No peer writes an
access log, but rc-gateway writes its log to a file, keeps its metrics and has its rate shield up.
"""


def render(
    samples: Samples, peers: Sequence[Peer], options: argparse.Namespace, seconds: float
) -> str:
    """Return the whole Markdown document."""
    names = [peer.name for peer in peers]
    gateways = {
        name: MAIN_LANE_TARGETS if "main lane" in name else {} for name in names if name in VARIANTS
    }
    parts = [
        "# rc-gateway beside other proxies",
        _INTRODUCTION,
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine.describe()}; "
        f"{'--quick, ' if options.quick else ''}{seconds / 60:.0f} minutes, "
        f"load average at the end {machine.load_average():.1f}. Run it with `make bench`.",
        render_table(samples, names),
        f"1.0 stands for nginx's: {render_reference(samples)}.",
        "## Targets",
        render_targets(samples, gateways, UNREWRITTEN)
        if gateways
        else "rc-gateway did not take part.",
        "## Who took part",
        "\n".join(f"* {peer.name}: {version_of(peer)}" for peer in peers),
    ]
    if samples.notes:
        parts += ["## What failed or was not here", "\n".join(f"* {n}" for n in samples.notes)]
    return "\n\n".join(part.strip() for part in parts) + "\n"

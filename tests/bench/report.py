"""From samples to a table: medians, ratios to nginx in the same round, Markdown.

Rule 1: a ratio is made of two figures of the same round, and the median is taken of the
        ratios; so what slows the whole machine for a while slows both.
Rule 2: what was not measured is a dash, and what failed is said below the table.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

REFERENCE = "nginx"
# The origin asked directly: what is there without any proxy is no proxy's cost.
DIRECT = "no proxy"
DASH = "-"
# Of what a request takes without a proxy: less than this from one run to the next is chance, and
# dividing by it gives any number.
NOISE = 0.1


@dataclass(frozen=True, slots=True)
class Column:
    """One figure: how it is headed, whether as a ratio to nginx, its unit and decimals.

    `added` takes off what the same request costs without a proxy. `target` is rc-gateway's
    own, of the ratio or of the figure; `at_least` turns it round.
    """

    key: str
    heading: str
    unit: str
    ratio: bool = True
    added: bool = False
    digits: int = 2
    target: float | None = None
    at_least: bool = False


PAGE = Column("page", "64 KiB of JSON", "µs CPU per answer")
COLUMNS = (
    Column("plain", "plain", "µs CPU per request", target=2.0),
    Column("norm", "norm", "µs CPU per request", target=2.0),
    Column("fresh", "norm, a path of its own each", "µs CPU per request"),
    PAGE,
    Column("connect", "norm, new connection each", "µs CPU per request"),
    Column("one", "norm, 1 connection", "µs CPU per request"),
    Column("thousand", "norm, 1,000 connections", "µs CPU per request"),
    Column("rate", "norm, requests/s", "requests/s"),
    Column("paced", "norm at the fixed rate", "µs CPU per request"),
    Column("p50", "added p50 at the fixed rate", "µs", added=True),
    Column("p99", "added p99 at the fixed rate", "µs", added=True, target=2.0),
    Column("down1", "1 MiB down", "µs CPU per MiB", target=0.6),
    Column("down64", "64 MiB down", "µs CPU per MiB", target=0.6),
    Column("up1", "1 MiB up", "µs CPU per MiB", target=0.6),
    Column("up64", "64 MiB up", "µs CPU per MiB", target=0.6),
    Column("idle", "MiB idle", "MiB", ratio=False, digits=0, target=75),
    Column("full", "MiB with 1,000 connections", "MiB", ratio=False, digits=0, target=110),
    Column("ready", "s to ready", "s", ratio=False, target=1.0),
    Column(
        "reuse",
        "% of requests on a kept upstream connection",
        "%",
        ratio=False,
        target=99.0,
        at_least=True,
    ),
)
# Of forwarding the same page with its links as they are.
REWRITING_TARGET = 1.5
# The main lane may cost twice what the fast lane may.
MAIN_LANE_TARGETS = {"plain": 4.0, "norm": 4.0}


@dataclass(slots=True)
class Samples:
    """What was measured: figures by column and peer, one per round, None where it failed."""

    figures: dict[str, dict[str, list[float | None]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, key: str, peer: str, figure: float | None) -> None:
        """Keep one figure."""
        self.figures.setdefault(key, {}).setdefault(peer, []).append(figure)

    def median(self, key: str, peer: str) -> float | None:
        """Return the median of a figure over the rounds in which it was measured."""
        known = [figure for figure in self._of(key, peer) if figure is not None]
        return statistics.median(known) if known else None

    def ratio(
        self, key: str, peer: str, *, added: bool = False, to: str = REFERENCE
    ) -> float | None:
        """Return the median of the ratios to a peer, each within one round.

        With `added`, a round in which that one was hardly slower than nothing has no ratio.
        """
        own, other = self._of(key, peer), self._of(key, to)
        if added:
            own, other = self._less_direct(key, own), self._less_direct(key, other)
            bare = self._of(key, DIRECT)
            other = [
                more if more is not None and least is not None and more > NOISE * least else None
                for more, least in zip(other, bare, strict=False)
            ]
        pairs = zip(own, other, strict=False)
        ratios = [mine / its for mine, its in pairs if mine is not None and its and its > 0]
        return statistics.median(ratios) if ratios else None

    def reference(self, column: Column) -> float | None:
        """Return nginx's own figure, that 1.0 stands for."""
        figures = self._of(column.key, REFERENCE)
        if column.added:
            figures = self._less_direct(column.key, figures)
        known = [figure for figure in figures if figure is not None]
        return statistics.median(known) if known else None

    def value(self, column: Column, peer: str) -> float | None:
        """Return what stands in the table."""
        if column.ratio:
            return self.ratio(column.key, peer, added=column.added)
        return self.median(column.key, peer)

    def _less_direct(self, key: str, figures: Sequence[float | None]) -> Sequence[float | None]:
        pairs = zip(figures, self._of(key, DIRECT), strict=False)
        return [None if own is None or bare is None else own - bare for own, bare in pairs]

    def _of(self, key: str, peer: str) -> Sequence[float | None]:
        return self.figures.get(key, {}).get(peer, [])


def render_table(samples: Samples, peers: Sequence[str]) -> str:
    """Return the Markdown table: ratios to nginx, and after it the last columns' own figures."""
    columns = [column for column in COLUMNS if column.key in samples.figures]
    heads = [f"{c.heading}{', x nginx' if c.ratio else ''}" for c in columns]
    lines = [_row(["proxy", *heads]), _row(["---", *("---:" for _ in columns)])]
    for peer in peers:
        cells = [_cell(samples.value(column, peer), column.digits) for column in columns]
        lines.append(_row([peer, *cells]))
    return "\n".join(lines)


def render_reference(samples: Samples) -> str:
    """Return what 1.0 stands for: nginx's own figures."""
    parts = []
    for column in COLUMNS:
        figure = samples.reference(column) if column.ratio else None
        if figure is not None:
            parts.append(f"{column.heading}: {figure:,.0f} {column.unit}")
    return "; ".join(parts)


def render_targets(
    samples: Samples, gateways: Mapping[str, Mapping[str, float]], unrewritten: Mapping[str, str]
) -> str:
    """Return rc-gateway's targets, met or missed.

    `gateways` gives targets that differ, `unrewritten` what one that rewrites links is compared
    with.
    """
    lines = [_row(["rc-gateway", "figure", "target", "measured", ""]), _row(["---"] * 5)]
    for peer, own in gateways.items():
        for column in COLUMNS:
            target = own.get(column.key, column.target)
            value = samples.value(column, peer)
            if target is None or value is None:
                continue
            unit = " x nginx" if column.ratio else f" {column.unit}"
            lines.append(_judge(peer, column, value, target, unit))
    for peer, other in unrewritten.items():
        value = samples.ratio(PAGE.key, peer, to=other)
        if value is not None:
            unit = " x the same, links as they are"
            lines.append(_judge(peer, PAGE, value, REWRITING_TARGET, unit))
    return "\n".join(lines)


def _judge(peer: str, column: Column, value: float, target: float, unit: str) -> str:
    met = value >= target if column.at_least else value <= target
    bound = f"{'at least' if column.at_least else 'at most'} {target:g}"
    shown = _cell(value, max(column.digits, 1))
    return _row([peer, column.heading, bound + unit, shown, "met" if met else "**missed**"])


def _cell(value: float | None, digits: int) -> str:
    return DASH if value is None else f"{value:.{digits}f}"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"

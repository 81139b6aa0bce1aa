"""`make soak`: does it break? Three runs on loopback, each bounded, and a table of figures.

usage: python -m tests.bench.soak [--minutes N] [--only crowd,mixed,drain] [--output FILE]

Rule: the exit code is 1 when a figure is beyond its bound.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from tests.bench import machine, soak_crowd, soak_drain, soak_mixed
from tests.bench.soak_gateway import CORES, raise_open_files, write_table

OUTPUT = Path(__file__).parent / "RELIABILITY.md"
IDLE = 10_000
SLOW = 200
MAX_SLOWDOWN = 2.0
MAX_GROWTH = 0.05
SEED = 20260121
RUNS = ("crowd", "mixed", "drain")


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table."""

    what: str
    measured: str
    bound: str
    met: bool


def of_crowd(felt: soak_crowd.Felt) -> list[Figure]:
    """Return the rows of the crowd."""
    slowdown = felt.slowdown
    crowd = f"{felt.idle:,} idle keep-alive connections and {felt.slow} slowloris ones"
    if felt.idle < IDLE:
        crowd += f" ({IDLE:,} need a higher limit of open files)"
    alone, with_crowd = (statistics.median(runs) * 1000 for runs in (felt.alone, felt.crowded))
    p99 = f"{alone:.2f} ms alone, {with_crowd:.2f} ms with (medians)"
    return [
        Figure(
            f"p99 of a fast caller beside {crowd}",
            f"{p99}; of {len(felt.alone)} pairs: {slowdown:.2f} times",
            f"at most {MAX_SLOWDOWN:g} times",
            slowdown <= MAX_SLOWDOWN,
        ),
        Figure("its failed requests", str(felt.failed), "0", not felt.failed),
        Figure("slow heads cut meanwhile (timeouts.head_s)", str(felt.cut), "some", felt.cut > 0),
        Figure(
            "memory", f"{felt.alone_mib:.0f} MiB alone, {felt.crowded_mib:.0f} MiB with", "-", True
        ),
    ]


def of_mixed(left: soak_mixed.Left, minutes: float) -> list[Figure]:
    """Return the rows of the mixed load."""
    grown = soak_mixed.growth(left.memory_mib)
    failures = sum(left.failures.values())
    kinds = "; ".join(f"{count} x {what}" for what, count in left.failures.most_common(3))
    before, after = left.descriptors
    return [
        Figure(
            f"{minutes:g} minutes of mixed load: exchanges that went wrong",
            f"{failures} of {left.done.total():,}{' (' if kinds else ''}{kinds}{')' * bool(kinds)}",
            "0",
            not failures,
        ),
        Figure(
            "growth of memory after the warm-up",
            f"{grown:+.1%}, to {left.memory_mib[-1]:.0f} MiB",
            f"at most {MAX_GROWTH:.0%}",
            grown <= MAX_GROWTH,
        ),
        Figure(
            "requests, connections, open files left behind",
            f"{left.in_flight:.0f}, {left.connections:.0f}, {after - before}",
            "0, 0, 0",
            not left.in_flight and not left.connections and after <= before,
        ),
        Figure("log lines of level error", str(left.errors), "0", not left.errors),
    ]


def of_drain(drained: soak_drain.Drained) -> list[Figure]:
    """Return the rows of the drain."""
    return [
        Figure(
            f"SIGTERM with {soak_drain.DOWNLOADS} long downloads and {soak_drain.CALLERS} busy "
            "callers: failed requests",
            f"{drained.failed} of {drained.answered + drained.failed:,}, "
            f"gone after {drained.seconds:.1f} s",
            "0",
            not drained.failed,
        ),
        Figure("its exit code", str(drained.code), "0", drained.code == 0),
    ]


def render(figures: Sequence[Figure]) -> str:
    """Return the Markdown document."""
    rows = [
        f"| {figure.what} | {figure.measured} | {figure.bound} | "
        f"{'met' if figure.met else '**missed**'} |"
        for figure in figures
    ]
    head = ["| what | measured | bound | |", "| --- | --- | --- | --- |"]
    where = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine.describe()}; `make soak`."
    return "\n".join(["# Does it break?", "", where, "", *head, *rows, ""])


async def run(names: Sequence[str], minutes: float) -> list[Figure]:
    """Do the runs one after another."""
    figures: list[Figure] = []
    task = asyncio.current_task()
    assert task is not None
    # As Ctrl-C does, so that a gateway is never left behind.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    open_files = raise_open_files()
    machine.stay_on(CORES.load)
    if "crowd" in names:
        idle = soak_crowd.how_many(IDLE, open_files)
        figures += of_crowd(await soak_crowd.feel(idle, SLOW))
    if "mixed" in names:
        figures += of_mixed(await soak_mixed.mix(minutes, SEED), minutes)
    if "drain" in names:
        figures += of_drain(await soak_drain.drain())
    return figures


def main() -> int:
    """Run the soak."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="of mixed load")
    parser.add_argument("--only", default=",".join(RUNS), help=f"of {', '.join(RUNS)}")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="the file for the table")
    options = parser.parse_args()
    names = tuple(options.only.split(","))
    if not set(names) <= set(RUNS):
        parser.error(f"--only takes {', '.join(RUNS)}")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        figures = runner.run(run(names, options.minutes))
    write_table(options.output, render(figures))
    return 0 if all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())

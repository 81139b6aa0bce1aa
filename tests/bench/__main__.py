"""`make bench`: every peer in turn, job by job, round by round, and one table at the end.

usage: python -m tests.bench [--quick] [--rounds N] [--only PEER,...] [--jobs JOB,...]
       [--output FILE]

All peers run from the start to the end, and are measured one at a time; the others idle.
In every second round they take their turns the other way round.

Rule: what takes part and failed, or could not take part, is named in the output.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from tests.bench import jobs, machine, peers, wrk
from tests.bench.configs import Ports
from tests.bench.document import render
from tests.bench.jobs import Bench, Target
from tests.bench.peers import INSTALLED
from tests.bench.report import DIRECT, REFERENCE, Samples
from tests.bench.running import NotReady, free_ports, started

OUTPUT = Path(__file__).parent / "RESULTS.md"


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured: rounds, seconds of each measurement, starts of each peer."""

    rounds: int
    seconds: int
    starts: int


# A neighbour's noise lasts for seconds or minutes: many short rounds find more that are alike.
FULL = Extent(rounds=7, seconds=1, starts=3)
SHORT = Extent(rounds=2, seconds=1, starts=1)


def main() -> int:
    """Run the bench; return 1 when there is nothing to compare with."""
    options = _options()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupted)
    INSTALLED.mkdir(exist_ok=True)
    samples = Samples()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(dir=INSTALLED) as folder, ExitStack() as stack:
        extent = SHORT if options.quick else FULL
        if options.rounds:
            extent = replace(extent, rounds=options.rounds)
        run = _Run(Path(folder), stack, samples, extent, options.rate)
        targets = run.start(options.only)
        if not any(target.peer.name == REFERENCE for target in targets):
            print("\n".join(samples.notes), file=sys.stderr)
            return 1
        run.measure(targets, options.jobs or (jobs.QUICK if options.quick else tuple(jobs.JOBS)))
    text = render(samples, [target.peer for target in targets], options, time.monotonic() - begin)
    options.output.write_text(text, encoding="utf-8")
    print(text)
    return 0


def side_by_side(targets: list[Target]) -> list[Target]:
    """Return the targets with the reference right before those whose ratios to it matter most."""
    rank = {REFERENCE: 1} | dict.fromkeys(peers.VARIANTS, 2)
    return sorted(targets, key=lambda target: rank.get(target.peer.name, 0))


class _Run:
    """One run: its folder, its origin, its peers."""

    def __init__(
        self, folder: Path, stack: ExitStack, samples: Samples, extent: Extent, rate: float
    ) -> None:
        self._folder = folder
        self._stack = stack
        self._samples = samples
        self._extent = extent
        cores = machine.choose_cores()
        machine.stay_on(cores.load)
        if cores.shared:
            self._note("there is one core only, so each proxy shared it with the load")
        (port,) = free_ports(1)
        origin = peers.nginx_origin(port, self._make_folder("origin"))
        stack.enter_context(started(origin, cores.load, folder / "origin"))
        script = folder / "norm.lua"
        script.write_text(wrk.NORM_LUA, encoding="ascii")
        fresh = folder / "fresh.lua"
        fresh.write_text(wrk.FRESH_LUA, encoding="ascii")
        self._bench = Bench(cores, port, script, fresh, extent.seconds, rate)

    def start(self, names: tuple[str, ...]) -> list[Target]:
        """Start the peers and leave them running; their memory is looked at while it is young."""
        targets = []
        for name in names:
            target = self._start(name)
            if target is not None:
                targets.append(target)
        return targets

    def measure(self, targets: list[Target], names: tuple[str, ...]) -> None:
        """Do the jobs, round by round."""
        targets = side_by_side(targets)
        for number in range(self._extent.rounds):
            for name in names:
                if name == "rate":
                    for key, figure in jobs.fixed_rate_without_proxy(self._bench).items():
                        self._samples.add(key, DIRECT, figure)
                for target in targets if number % 2 == 0 else reversed(targets):
                    _say(f"round {number + 1}/{self._extent.rounds}  {name:9} {target.peer.name}")
                    self._try(name, jobs.JOBS[name], target)

    def _start(self, name: str) -> Target | None:
        plain, norm = free_ports(2)
        folder = self._make_folder(name)
        peer = peers.make(name, Ports(plain, norm, self._bench.origin_port), folder)
        if peer.missing:
            self._note(f"{name}: not here; {peer.missing}")
            return None
        _say(f"starting {name}")
        try:
            for _ in range(self._extent.starts - 1):
                with started(peer, self._bench.cores.proxy, folder) as (_, ready_s):
                    self._samples.add("ready", name, ready_s)
            running = started(peer, self._bench.cores.proxy, folder)
            pid, ready_s = self._stack.enter_context(running)
        except NotReady as error:
            self._note(f"{name}: did not start; {error}")
            return None
        self._samples.add("ready", name, ready_s)
        target = Target(peer, pid)
        try:
            jobs.check(target)
        except (jobs.Failed, OSError, ValueError) as error:
            self._note(f"{name}: {error}")
            return None
        self._try("memory", jobs.memory, target)
        return target

    def _try(self, name: str, job: jobs.Job, target: Target) -> None:
        try:
            figures = job(self._bench, target)
        except (jobs.Failed, OSError, ValueError) as error:
            self._note(f"{target.peer.name}, {name}: {error}")
            figures = dict.fromkeys(jobs.KEYS[name])
        for key, figure in figures.items():
            self._samples.add(key, target.peer.name, figure)

    def _make_folder(self, name: str) -> Path:
        folder = self._folder / "".join(c if c.isalnum() else "-" for c in name)
        folder.mkdir()
        return folder

    def _note(self, text: str) -> None:
        _say(text)
        if text not in self._samples.notes:
            self._samples.notes.append(text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about two minutes; rough figures")
    parser.add_argument("--only", type=_names, default=peers.NAMES, help="PEER;... by name")
    parser.add_argument("--jobs", type=_jobs, default=(), help=f"of {', '.join(jobs.JOBS)}")
    parser.add_argument("--rounds", type=int, help="instead of seven, or two with --quick")
    parser.add_argument("--rate", type=float, default=1000.0, help="requests/s for p50 and p99")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="the file for the table")
    return parser.parse_args()


def _names(text: str) -> tuple[str, ...]:
    """Return the peers whose names begin as the words of `text`; nginx is always one."""
    words = [word.strip().lower() for word in text.split(",")]
    wanted = [name for name in peers.NAMES if name.lower().startswith(tuple(words))]
    return tuple(dict.fromkeys((REFERENCE, *wanted)))


def _jobs(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    unknown = [name for name in names if name not in jobs.JOBS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]} is none of {', '.join(jobs.JOBS)}")
    return names


def _interrupted(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

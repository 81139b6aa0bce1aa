"""The metrics of several processes as one: counted together, and never less than before.

A counter that falls looks like a restart to Prometheus, which then takes all of it for
new. So what a worker had counted stays when it has ended: its last report, or, when it was
killed, the last one before.

Rule 1: counters and histograms are added up, gauges too, but for those in the tables below.
Rule 2: a report is data of our own processes, in the shape that `read_families` gives it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

# Name, text, type, unit and samples, each of which is name, labels and value.
Families: TypeAlias = list[Any]

# Of these the greatest is the whole's.
_GREATEST = frozenset({"rcgw_build_info", "rcgw_token_expiry_timestamp_seconds"})
# Of these the least is: the worst news, the first start.
_LEAST = frozenset(
    {
        *("rcgw_store_up", "rcgw_upstream_rate_limit_remaining"),
        *("process_start_time_seconds", "process_max_fds"),
    }
)
# What was counted stays counted.
_LASTING_TYPES = frozenset({"counter", "histogram"})


def read_families(registry: CollectorRegistry) -> Families:
    """Return what a registry has, as JSON can tell it; may run in a thread."""
    return [
        [
            *(family.name, family.documentation, family.type, family.unit),
            [[sample.name, sample.labels, sample.value] for sample in family.samples],
        ]
        for family in registry.collect()
    ]


@dataclass(slots=True)
class _Sum:
    """One family of all processes."""

    text: str
    kind: str
    unit: str
    values: dict[tuple[str, tuple[tuple[str, str], ...]], float] = field(default_factory=dict)

    def add(self, name: str, samples: Iterable[tuple[str, Mapping[str, str], float]]) -> None:
        for sample, labels, value in samples:
            key = (sample, tuple(sorted(labels.items())))
            known = self.values.get(key)
            self.values[key] = value if known is None else _join(name, known, value)


def _join(name: str, one: float, other: float) -> float:
    if name in _GREATEST:
        return max(one, other)
    return min(one, other) if name in _LEAST else one + other


def add_up(reports: Iterable[Families]) -> Families:
    """Return several reports as one."""
    sums: dict[str, _Sum] = {}
    for report in reports:
        for name, text, kind, unit, samples in report:
            sums.setdefault(name, _Sum(text, kind, unit)).add(name, samples)
    return [[name, one.text, one.kind, one.unit, _samples(one)] for name, one in sums.items()]


def _samples(one: _Sum) -> list[list[Any]]:
    return [[name, dict(labels), value] for (name, labels), value in one.values.items()]


class FleetMetrics(Collector):
    """What workers have counted, those that are gone too, and the parent's own figures."""

    def __init__(self) -> None:
        # As in `Metrics`: one more series for each, of use to nobody here.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library omits the types
        self._own = CollectorRegistry()
        ProcessCollector(registry=self._own)
        self.restarts = Counter(
            "rcgw_worker_restarts", "Workers that ended unasked.", registry=self._own
        )
        self._workers = Gauge("rcgw_workers", "Workers, by state.", ("state",), registry=self._own)
        self._latest: dict[int, Families] = {}
        self._past: Families = []
        self._shown: Families = []
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def note(self, worker: int, report: Families) -> None:
        """Take a worker's report, in place of its last one."""
        self._latest[worker] = report

    def end(self, worker: int) -> None:
        """Take note that a worker is gone; what it had counted stays."""
        report = self._latest.pop(worker, [])
        lasting = [one for one in report if one[2] in _LASTING_TYPES]
        self._past = add_up((self._past, lasting))

    def count(self, **workers: int) -> None:
        """Take note of how many workers there are in each state."""
        for state, number in workers.items():
            self._workers.labels(state).set(number)

    def sample(self) -> None:
        """Add up what is known; on the event loop, before `render`."""
        reports = (read_families(self._own), *self._latest.values(), self._past)
        self._shown = add_up(reports)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """Return the text for a scraper and its media type; may run in a thread."""
        encode, media_type = choose_encoder(accept)
        return encode(self._registry), media_type

    def collect(self) -> Iterator[Metric]:
        """Yield the families (the library calls this)."""
        for name, text, kind, unit, samples in self._shown:
            metric = Metric(name, text, kind, unit)
            for sample, labels, value in samples:
                metric.add_sample(sample, labels, value)
            yield metric

"""What is counted and measured of requests, for Prometheus.

Names are OpenTelemetry's where it has one, else they begin with `rcgw_`. Children are
kept in dicts of our own, because looking one up through the library costs more than
counting; durations, of which every request has two, are `durations.py`'s.

Rule 1: every label has a bounded set of values: whatever a caller or an upstream can
        make up counts as "other" beyond it.
Rule 2: a registry of its own, so that two gateways in one process do not mix.
Rule 3: gauges are read on the event loop, text is made in a thread.
"""

from __future__ import annotations

import platform
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

import aiohttp
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics import MetricWrapperBase

from gateway import __version__
from gateway.engine.events import Record
from gateway.ops.durations import MOST_SERIES, OTHER, Durations

# A few dozen kilobytes, and less than a tenth of a millisecond when they are counted.
MOST_UNTOLD = 256
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# Effective method, upstream, status, our error code, and upstream's status.
_Outcome: TypeAlias = tuple[str, str, int, str, int | None]

MetricT = TypeVar("MetricT", bound=MetricWrapperBase)


@dataclass(frozen=True, slots=True)
class Gauges:
    """What is read when somebody asks; called on the event loop."""

    in_flight: Callable[[], int]
    open_connections: Callable[[], int]
    idle_upstream_connections: Callable[[], int]
    surplus_connections: Callable[[], int]


class Metrics:
    """Counts finished requests; `watch` and `registry` add what is known elsewhere."""

    def __init__(self) -> None:
        # The time at which a series began is one more series for each, of use to nobody here.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library omits the types
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._watched: list[tuple[Gauge, Callable[[], int]]] = []
        self._before_scrape: list[Callable[[], None]] = []
        self._server = Durations(
            "http_server_request_duration_seconds",
            "From the arrival of a head to the end of the answer.",
            ("method", "status", "upstream", "code"),
            registry,
        )
        self._upstream = Durations(
            "http_client_request_duration_seconds",
            "From the sending of a request upstream to the end of its answer.",
            ("upstream", "method", "status"),
            registry,
        )
        # What finished requests took, as served and upstream, until it is counted.
        self._took: defaultdict[_Outcome, list[tuple[float, float | None]]] = defaultdict(list)
        self._untold = 0
        self._findings = self._count_by(
            "rule",
            "rcgw_query_findings",
            "Bytes of a query that were reported or repaired, by rule.",
        )
        self._aborted = self._count_by(
            "reason", "rcgw_aborted", "Requests that ended before their answer did, by reason."
        )
        self._retries = self._count_by(
            "reason", "rcgw_retries", "Attempts after the first one of a request, by reason."
        )
        self._limited = self._count_by(
            "reason",
            "rcgw_rate_limited",
            "Requests that a limit of the vendor's stopped, by reason: "
            "here, or (upstream) by the vendor's own 429.",
        )
        self._surplus = Counter(
            "rcgw_surplus_connections",
            "Connections so far over the limit that they were reset.",
            registry=registry,
        )
        self._read_surplus: Callable[[], int] = int
        self._surplus_read = 0
        self._add_build()

    def _count_by(self, label: str, name: str, text: str) -> _Children[Counter]:
        return _Children(Counter(name, text, (label,), registry=self.registry))

    def watch(self, gauges: Gauges) -> None:
        """Add the gauges; once, when what they read exists."""
        for name, text, read in (
            ("rcgw_in_flight_requests", "Requests under way.", gauges.in_flight),
            ("rcgw_open_connections", "Connections of callers.", gauges.open_connections),
            (
                "rcgw_idle_upstream_connections",
                "Connections to upstreams that wait in the pool.",
                gauges.idle_upstream_connections,
            ),
        ):
            self._watched.append((Gauge(name, text, registry=self.registry), read))
        self._read_surplus = gauges.surplus_connections

    def hear(self, records: Iterable[Record]) -> None:
        """Count requests that are over."""
        for record in records:
            asked, upstream_s = record.asked, record.upstream_s
            method = asked.method or asked.wire_method
            # None while nothing was sent, 0 without an answer.
            answer = None if upstream_s is None else record.upstream_status
            outcome = (method, asked.upstream, record.status, record.code, answer)
            self._took[outcome].append((record.total_s, upstream_s))
            self._untold += 1
            if (
                asked.findings
                or record.retries
                or record.cut
                or record.limited
                or record.status == 499
                or record.upstream_status == 429
            ):
                self._count_exceptional(record)
        if self._untold >= MOST_UNTOLD:
            self._settle()

    def before_scrape(self, read: Callable[[], None]) -> None:
        """Have `read` called before each scrape, on the event loop."""
        self._before_scrape.append(read)

    def sample(self) -> None:
        """Read the watched gauges, and count what is not counted; before `render`, on the loop."""
        for take in self._before_scrape:
            take()
        self._settle()
        for gauge, read in self._watched:
            gauge.set(read())
        surplus = self._read_surplus()
        self._surplus.inc(surplus - self._surplus_read)
        self._surplus_read = surplus

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """Return the text for a scraper and its media type; may run in a thread."""
        encode, media_type = choose_encoder(accept)
        return encode(self.registry), media_type

    def _count_exceptional(self, record: Record) -> None:
        """Count what most requests do not have."""
        for finding in record.asked.findings:
            self._findings.get(finding.rule).inc()
        if record.cut or record.status == 499:
            self._aborted.get(record.code or "caller-gone").inc()
        for reason in record.retries:
            self._retries.get(reason).inc()
        if record.limited or record.upstream_status == 429:
            self._limited.get(record.limited or "upstream").inc()

    def _settle(self) -> None:
        """Count what requests took."""
        took, self._took, self._untold = self._took, defaultdict(list), 0
        for (method, upstream, status, code, answer), pairs in took.items():
            name = method if method in METHODS else OTHER
            self._server.observe((name, status, upstream, code), [total for total, _ in pairs])
            if answer is not None:
                seconds = [sent for _, sent in pairs if sent is not None]
                self._upstream.observe((upstream, name, answer or "none"), seconds)

    def _add_build(self) -> None:
        labels = ("version", "python", "aiohttp")
        build = Gauge("rcgw_build_info", "What runs here.", labels, registry=self.registry)
        build.labels(__version__, platform.python_version(), aiohttp.__version__).set(1)


class _Children(Generic[MetricT]):
    """The children of one metric by their labels; at most `MOST_SERIES`, then "other"."""

    __slots__ = ("_known", "_metric")

    def __init__(self, metric: MetricT) -> None:
        self._metric = metric
        self._known: dict[tuple[str, ...], MetricT] = {}

    def get(self, *labels: str) -> MetricT:
        """Return the child with these labels."""
        child = self._known.get(labels)
        if child is None:
            if len(self._known) >= MOST_SERIES:
                labels = (OTHER,) * len(labels)
            child = self._known[labels] = self._metric.labels(*labels)
        return child

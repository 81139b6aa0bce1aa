"""A histogram of durations that are counted by the hundred, and shown when a scraper asks.

The library's own takes a lock and a method call for each bucket, at every observation.
Here the event loop is the only writer, and finds the bounds among many sorted durations
instead of the bucket of each.

Rule 1: at most `MOST_SERIES` sets of labels; whatever comes beyond counts as "other".
Rule 2: observed on the event loop, collected from any thread.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry
from prometheus_client.utils import floatToGoString

OTHER = "other"
# Ordinary traffic has a few dozen; rendering this many takes about a tenth of a second.
MOST_SERIES = 500
# OpenTelemetry's advice for http.server.request.duration.
BUCKETS_S = (
    *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75),
    *(1.0, 2.5, 5.0, 7.5, 10.0),
)
_ENDS = (*map(floatToGoString, BUCKETS_S), "+Inf")


class _Series:
    """How many fell between two bounds, the last ones above all of them; and their sum."""

    __slots__ = ("counts", "sum_s")

    def __init__(self) -> None:
        self.counts = [0] * len(_ENDS)
        self.sum_s = 0.0


class Durations(Collector):
    """One histogram in seconds, by labels."""

    def __init__(
        self, name: str, text: str, labels: Sequence[str], registry: CollectorRegistry
    ) -> None:
        self._name = name
        self._text = text
        self._labels = tuple(labels)
        self._known: dict[tuple[str | int, ...], _Series] = {}
        registry.register(self)

    def observe(self, labels: tuple[str | int, ...], seconds: Iterable[float]) -> None:
        """Count durations under values for the labels, in their order."""
        series = self._known.get(labels)
        if series is None:
            series = self._begin(labels)
        ordered = sorted(seconds)
        series.sum_s += sum(ordered)
        below = 0
        for place, bound in enumerate(BUCKETS_S):
            upto = bisect_right(ordered, bound, below)
            series.counts[place] += upto - below
            below = upto
        series.counts[-1] += len(ordered) - below

    def describe(self) -> list[HistogramMetricFamily]:
        """Return the name (the library calls this when it registers)."""
        return [HistogramMetricFamily(self._name, self._text)]

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield what has been observed (the library calls this)."""
        family = HistogramMetricFamily(self._name, self._text, labels=self._labels)
        for labels, series in tuple(self._known.items()):
            buckets = list(zip(_ENDS, accumulate(series.counts), strict=True))
            family.add_metric([str(label) for label in labels], buckets, series.sum_s)
        yield family

    def _begin(self, labels: tuple[str | int, ...]) -> _Series:
        if len(self._known) >= MOST_SERIES:
            labels = (OTHER,) * len(labels)
        return self._known.setdefault(labels, _Series())

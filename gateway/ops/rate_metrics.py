"""What remains of the vendor's windows, as far as answers have told it.

Rule: the label is the vendor's name of a group, of which there are few; never a credential.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Gauge

# The vendor documents five; whatever it calls them, no more than this are shown.
_MOST_GROUPS = 50


class RateMetrics:
    """Shows the least that remains of each group for any credential."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._remaining = Gauge(
            "rcgw_upstream_rate_limit_remaining",
            "Requests that remain in the vendor's window, the least of any credential.",
            ("group",),
            registry=registry,
        )

    def sample(self, remaining: Iterable[tuple[str, int]]) -> None:
        """Read what remains; on the event loop."""
        self._remaining.clear()
        for group, left in sorted(remaining)[:_MOST_GROUPS]:
            self._remaining.labels(group).set(left)

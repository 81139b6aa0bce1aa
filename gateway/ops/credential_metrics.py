"""What is counted of credentials: renewals by outcome, and when each token ends.

Rule: labels are names of the configuration and words of ours; metadata, never a token.
"""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge

from gateway.credentials.tokens import Status


class CredentialMetrics:
    """Counts what credentials tell, and reads when their tokens end."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._refreshes = Counter(
            "rcgw_token_refresh",
            "Attempts to have a newer token, by outcome.",
            ("credential", "outcome"),
            registry=registry,
        )
        self._expiry = Gauge(
            "rcgw_token_expiry_timestamp_seconds",
            "When the current token ends, in seconds since the epoch.",
            ("credential",),
            registry=registry,
        )
        self._store_up = Gauge(
            "rcgw_store_up",
            "Whether the store of tokens and budgets can be reached.",
            registry=registry,
        )

    def token_changed(self, credential: str, generation: int) -> None:
        """Count nothing: the renewal that brought the token is counted."""

    def token_unreadable(self, credential: str, reason: str) -> None:
        """Count a look that brought no token."""
        self._refreshes.labels(credential, "unreadable").inc()

    def refresh_finished(self, credential: str, outcome: str, reason: str) -> None:
        """Count a renewal."""
        self._refreshes.labels(credential, outcome).inc()

    def store_failed(self, credential: str, reason: str) -> None:
        """Count nothing: whether the store is up is read."""

    def sample(self, statuses: Mapping[str, Status], store_trouble: str | None) -> None:
        """Read the gauges; on the event loop."""
        # Of a credential that a reload has removed nothing is shown.
        self._expiry.clear()
        for name, status in statuses.items():
            if status.expires_at is not None:
                self._expiry.labels(name).set(status.expires_at)
        self._store_up.set(store_trouble is None)

"""What operators are told of credentials and their store: data for pages, notes for probes.

Rule: metadata only: `Status` has no token, and nothing else is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict

from gateway.credentials.tokens import Status


class CredentialReport:
    """Tells of the credentials that `statuses` returns, and of the store's `trouble`."""

    def __init__(
        self, statuses: Callable[[], Mapping[str, Status]], trouble: Callable[[], str | None]
    ) -> None:
        self._statuses = statuses
        self._trouble = trouble

    def document(self) -> dict[str, object]:
        """Return what `/credentials` shows."""
        credentials = {name: asdict(status) for name, status in self._statuses().items()}
        return {"credentials": credentials, "store": {"trouble": self._trouble()}}

    def notes(self) -> dict[str, str | None]:
        """Return what `/readyz?verbose` adds: None for what is well."""
        found = {f"credential {name}": s.reason or None for name, s in self._statuses().items()}
        return {**found, "store": self._trouble()}

"""What operators are told of credentials and their store: data for pages, notes for probes.

Rule: metadata only: `Status` has no token, and nothing else is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

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


def merge_documents(documents: Iterable[Mapping[str, Any]]) -> dict[str, object]:
    """Return what `/credentials` shows of several processes: of each credential the latest news."""
    latest: dict[str, Mapping[str, Any]] = {}
    trouble: str | None = None
    for document in documents:
        trouble = trouble or document["store"]["trouble"]
        for name, status in document["credentials"].items():
            if name not in latest or _age(status) > _age(latest[name]):
                latest[name] = status
    return {"credentials": latest, "store": {"trouble": trouble}}


def merge_notes(notes: Iterable[Mapping[str, str | None]]) -> dict[str, str | None]:
    """Return the notes of several processes: well is what is well for all of them."""
    merged: dict[str, str | None] = {}
    for told in notes:
        for name, trouble in told.items():
            merged[name] = merged.get(name) or trouble
    return merged


def _age(status: Mapping[str, Any]) -> tuple[int, float]:
    return status["generation"], status["outcome_at"] or 0.0

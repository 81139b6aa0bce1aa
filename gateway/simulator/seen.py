"""What the simulator saw: a second opinion for tests, a notebook for people.

One entry a request, taken before it is judged, so refused requests are in it too. Header
pairs are the raw bytes in the order of the wire. A body is kept as its length and digest
only. Credentials appear in clear: this notebook belongs to a simulator, whose token is
no secret, and must never be copied into something that talks to the vendor.
"""

from collections import deque
from dataclasses import dataclass

from gateway.simulator.reading import RawPairs, Wire

# Enough for any one test to count its requests, and a few megabytes at the worst.
MAX_ENTRIES = 1000


@dataclass(frozen=True, slots=True)
class Seen:
    """One request; `effective` is None when its overrides were refused."""

    method: str
    effective: str | None
    target: str
    headers: RawPairs
    body_length: int
    body_sha256: str


class Notebook:
    """The latest requests, oldest first."""

    def __init__(self, max_entries: int = MAX_ENTRIES) -> None:
        """Start empty; beyond `max_entries` the oldest entry makes room."""
        self.entries: deque[Seen] = deque(maxlen=max_entries)

    def write(self, wire: Wire, effective: str | None) -> None:
        """Add one request."""
        self.entries.append(
            Seen(
                wire.method,
                effective,
                wire.target,
                wire.headers,
                wire.body_length,
                wire.body_sha256,
            )
        )

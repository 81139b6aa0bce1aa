"""What every store promises: entries, leases that fence, rolling budgets, and doors.

Whoever wants to renew the value of a key takes the lease on it; the others wait for
`changed`. A lease has a fencing number, larger than every one before it, and an entry
keeps the number that it was written under, so a holder that was paused while another
one took over cannot put an old value over a new one.

Rule 1: a store that cannot be asked raises `StoreDown`, at once and never anything else;
        what to do without it is the asker's decision.
Rule 2: an entry's version never falls, whatever the store loses, as long as askers pass
        the largest version they know as `floor`.
Rule 3: no text, repr or event of a store holds a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """The value of a key; `version` is the fencing number that it was written under."""

    version: int
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bar:
    """What kept an asker from spending: the door that is shut, "" for the budget; seconds."""

    door: str
    wait_s: float


@dataclass(frozen=True, slots=True)
class Receipt:
    """What `take_back` knows one again by that was spent: its budget, and the store's time."""

    key: str
    at: float


class StoreDown(Exception):
    """The store cannot be asked now; the text says why, and holds no secret."""


class Lease(Protocol):
    """The right to renew one key, kept alive in the background until it is released."""

    @property
    def fence(self) -> int:
        """Return the fencing number: above that of every lease and entry before it."""
        ...

    @property
    def is_lost(self) -> bool:
        """Tell whether it could not be kept alive in time: another one may hold it now."""
        ...

    async def write(self, value: bytes) -> bool:
        """Make a value the key's entry, durable on return; once for each lease.

        False when a newer fence has written: then nothing was changed. A lease that was lost
        may still write: an old value that is known is better than one that is lost.
        """
        ...

    async def release(self) -> None:
        """Let others have the lease; may be repeated, never raises."""
        ...


class Store(Protocol):
    """Memory under keys; every method but `close` may raise `StoreDown`."""

    @property
    def trouble(self) -> str | None:
        """Return why the store is down; None when it is well."""
        ...

    async def read(self, key: str) -> Entry | None:
        """Return the entry of a key, None when there is none that can be read."""
        ...

    async def keep(self, key: str, for_s: float) -> bool:
        """Have the entry of a key forgotten so many seconds from now; False when there is none.

        The last word counts, for what is written until then, too. Without one nothing is forgotten.
        """
        ...

    async def lease(self, key: str, *, floor: int = 0) -> Lease | None:
        """Take the lease on a key, or return None when somebody else holds it now.

        `floor` is the largest version that the asker knows; the fence is above it.
        """
        ...

    async def changed(self, key: str, version: int, timeout_s: float) -> bool:
        """Wait until it is worth to read, or to ask for the lease, again; False on timeout.

        That is when an entry above `version` may be there, or nobody holds the lease.
        """
        ...

    async def spend(self, key: str, limit: int, window_s: float) -> float:
        """Spend one of `limit` (at least 1) in any `window_s`; return 0.0 when it was spent.

        Else nothing was spent, and the seconds until one will be free are returned.
        """
        ...

    async def shut(self, door: str, for_s: float) -> None:
        """Keep a door shut for so many seconds; one that is shut for longer stays so."""
        ...

    async def enter(
        self, doors: Sequence[str], key: str, limit: int, window_s: float
    ) -> Bar | Receipt:
        """Spend one, as `spend` does, if all these doors are open; a receipt when it was spent.

        Names that are asked about together begin with the same text up to their first "/".
        """
        ...

    async def take_back(self, receipt: Receipt) -> None:
        """Count no longer what was spent in vain, and no other; once for each receipt.

        What has left the window since, or was moved with a clock that was set back, stays.
        """
        ...

    async def close(self) -> None:
        """Release what is held and let go of files and connections; never raises."""
        ...

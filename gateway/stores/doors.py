"""Doors that are shut for a while, in a mapping: when each opens, and for how long it was shut.

Rule 1: one that is shut for longer stays so; when several are shut, the last to open counts.
Rule 2: a clock that was set back opens a door: nobody waits for longer than it was shut for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from gateway.stores.store import Bar

Doors: TypeAlias = dict[str, tuple[float, float]]

# What rounding adds to the difference of two times, and less than a clock is set back by.
_ROUNDING_S = 0.001


def shut_door(doors: Doors, name: str, now: float, for_s: float) -> None:
    """Keep a door shut for so many seconds, and forget those that are open."""
    left_s = _left(doors, name, now)
    for other in [other for other in doors if not _left(doors, other, now)]:
        del doors[other]
    if left_s < for_s:
        doors[name] = now + for_s, for_s


def find_bar(doors: Doors, names: Iterable[str], now: float) -> Bar | None:
    """Return the one of these doors that is shut for the longest, None when all are open."""
    left_s, name = max(((_left(doors, name, now), name) for name in names), default=(0.0, ""))
    return Bar(name, left_s) if left_s else None


def _left(doors: Doors, name: str, now: float) -> float:
    opens_at, for_s = doors.get(name, (0.0, 0.0))
    left_s = opens_at - now
    return left_s if 0.0 < left_s <= for_s + _ROUNDING_S else 0.0

"""A budget over a rolling window, as the list of times at which one was spent.

A window that rolls has no edge at which twice the limit passes, and the time until one
is free is exact. The clock is an argument; stores that share one keep the list.

Rule: a clock that was set back never makes anybody wait for longer than the window.
"""

from __future__ import annotations

from collections.abc import Sequence


def spend_one(
    times: Sequence[float], now: float, limit: int, window_s: float
) -> tuple[list[float], float]:
    """Return the times from now on, and the seconds to wait: 0.0 when `now` was added."""
    # A time to come is from before the clock was set back; it counts as if it were now.
    kept = [min(time, now) for time in times if time > now - window_s]
    if len(kept) < limit:
        return [*kept, now], 0.0
    return kept, kept[-limit] + window_s - now


def take_one_back(times: Sequence[float], spent_at: float) -> list[float]:
    """Return the times without one that is `spent_at`; as they are when none is."""
    place = next((place for place, time in enumerate(times) if time == spent_at), len(times))
    return [*times[:place], *times[place + 1 :]]

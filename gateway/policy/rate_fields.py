"""What an answer says of the vendor's rate limits: `X-Rate-Limit-*` and `Retry-After`.

The vendor names the group of the operation, its limit, what remains of it and the
window in seconds; there is no time of reset. A value that is no number is as good as
absent, because an answer is never refused for its rate fields.

Rule 1: names of groups are lower case, and short enough to be a label of a metric.
Rule 2: nothing is waited for longer than a day, whatever a field says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from operator import itemgetter
from typing import TypeAlias

from gateway.core.field_places import Places
from gateway.core.memo import Memo
from gateway.core.message import ReplyHead

_NAMES = (
    *(b"x-rate-limit-group", b"x-rate-limit-limit"),
    *(b"x-rate-limit-remaining", b"x-rate-limit-window"),
)
_MOST_BYTES = 40
_GROUP = re.compile(rb"[a-z0-9][a-z0-9_.-]{0,39}")
# Whole numbers are documented; some middleboxes write seconds with a fraction.
_NUMBER = re.compile(rb"[0-9]{1,12}(?:\.[0-9]{0,12})?")
_DAY_S = 86400.0

_Pick: TypeAlias = Callable[[Sequence[bytes]], tuple[bytes, ...]]


@dataclass(frozen=True, slots=True)
class RateFields:
    """The `X-Rate-Limit-*` of one answer; what is absent is None, the group empty."""

    group: str = ""
    limit: int | None = None
    remaining: int | None = None
    window_s: float | None = None


# Looking into an `lru_cache` takes three times as long.
_picks: Memo[Places, _Pick] = Memo(512)
# One answer after the other says nearly the same.
_fields: Memo[tuple[bytes, ...], RateFields] = Memo()
_known_pick, _known_fields = _picks.get, _fields.get


def read_rate_fields(head: ReplyHead) -> RateFields | None:
    """Return what an answer says of its group, or None when it says nothing."""
    pick = _known_pick(head.places)
    if pick is None:
        pick = _find(head.places)
    found = pick(head.field_values)
    return (_known_fields(found) or _read(found)) if found else None


def parse_retry_after(value: bytes | None, wall_now: float) -> float | None:
    """Return the seconds that `Retry-After` asks for, or None (RFC 9110 section 10.2.3).

    `wall_now` is seconds since the epoch; a date that has passed is 0.
    """
    if value is None:
        return None
    if _NUMBER.fullmatch(value):
        return min(float(value), _DAY_S)
    try:
        moment = parsedate_to_datetime(value.decode("latin-1"))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    # RFC 9110 section 5.6.7: every HTTP-date is in UTC, also one that does not say so.
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(moment.timestamp() - wall_now, 0.0), _DAY_S)


def _find(places: Places) -> _Pick:
    """Return what takes the four values from a head's: empty ones, or nothing, without them."""
    by_name = places.by_name
    found = [by_name[name][0] if name in by_name else None for name in _NAMES]
    pick = itemgetter(*found) if None not in found else _picking(found)
    if places.is_remembered:
        _picks.put(places, pick, 1)
    return pick


def _picking(found: list[int | None]) -> _Pick:
    def pick(values: Sequence[bytes]) -> tuple[bytes, ...]:
        return tuple([b"" if place is None else values[place] for place in found])

    return pick if any(place is not None for place in found) else lambda _values: ()


def _read(found: tuple[bytes, ...]) -> RateFields:
    is_short = len(b"".join(found)) <= _MOST_BYTES
    kept = found if is_short else [one if len(one) <= _MOST_BYTES else b"" for one in found]
    group, limit, remaining, window = kept
    name, left, window_s = group.lower(), _number(remaining), _number(window)
    fields = RateFields(
        name.decode() if _GROUP.fullmatch(name) else "",
        # A limit or a window of nought is none: it would never let anything through.
        int(_number(limit) or 0) or None,
        None if left is None else int(left),
        min(window_s, _DAY_S) if window_s else None,
    )
    if is_short:
        _fields.put(found, fields, 1)
    return fields


def _number(value: bytes) -> float | None:
    return min(float(value), 1e9) if _NUMBER.fullmatch(value) else None

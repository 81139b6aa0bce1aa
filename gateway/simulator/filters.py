"""Query values, read with care: a value that cannot be meant is a 400 that names it.

Filters that the vendor documents as lists may be repeated, and all their values count;
they are not split at commas. Of a filter that takes one value the first counts. Dates are
ISO 8601, also `YYYY` and `YYYY-MM`, UTC unless an offset says otherwise. A `+` that was
sent raw has become a blank by now, so an offset or a phone number that held one is refused
or finds nothing, which is what happens with the vendor too.
"""

import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from gateway.simulator.faults import invalid_parameter
from gateway.simulator.reading import Pairs

_SHORT_DATE = re.compile(r"\d{4}(-\d{2})?")
_INTEGER = re.compile(r"[0-9]{1,19}")


def values(query: Pairs, name: str) -> list[str]:
    """List all values of a parameter, in order; empty ones count as absent."""
    return [value for key, value in query if key == name and value]


def one(query: Pairs, name: str) -> str:
    """Return the first value of a parameter, or an empty string."""
    return next(iter(values(query, name)), "")


def choices(query: Pairs, name: str, allowed: Collection[str]) -> frozenset[str]:
    """Read a repeatable filter; empty means that everything passes. Raises Fault."""
    chosen = values(query, name)
    if not set(chosen) <= set(allowed):
        raise invalid_parameter(name, f"choose from {', '.join(allowed)}, repeat it for several")
    return frozenset(chosen)


def integer(query: Pairs, name: str, default: int, *, low: int, high: int) -> int:
    """Read a bounded whole number. Raises Fault."""
    text = one(query, name)
    if not text:
        return default
    if not _INTEGER.fullmatch(text) or not low <= int(text) <= high:
        raise invalid_parameter(name, f"give a whole number from {low} to {high}")
    return int(text)


def moment(query: Pairs, name: str, default: datetime) -> datetime:
    """Read a point in time. Raises Fault."""
    text = one(query, name)
    if not text:
        return default
    if short := _SHORT_DATE.fullmatch(text):
        text += "-01" if short[1] else "-01-01"
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        hint = "give ISO 8601, and send + as %2B"
        raise invalid_parameter(name, hint) from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def interval(query: Pairs) -> tuple[datetime, datetime]:
    """Read `dateFrom` and `dateTo`; an absent end is open. Raises Fault."""
    first = moment(query, "dateFrom", datetime.min.replace(tzinfo=UTC))
    return first, moment(query, "dateTo", datetime.max.replace(tzinfo=UTC))


def has_number(wanted: str, parties: Iterable[dict[str, str]]) -> bool:
    """Tell whether a phone number, with or without its `+`, belongs to one of the parties."""
    numbers = {party.get("phoneNumber", "").removeprefix("+") for party in parties}
    return not wanted or wanted.removeprefix("+") in numbers

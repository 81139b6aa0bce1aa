"""The field list: ordered, repeatable, case-insensitive by name; and the hop-by-hop rules.

A list of pairs and not a mapping, because order and repetition are part of a message and
a mapping loses both. Names keep the spelling they came with; comparing folds case.

Rule 1: nothing here edits a value.
Rule 2: this module knows the RFCs' field names, not the gateway's policy about them.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from typing import TypeAlias

from gateway.core.grammar import FIELD_BLOCK, FIELD_VALUE, TOKEN
from gateway.errors import show

Field: TypeAlias = tuple[bytes, bytes]
Fields: TypeAlias = tuple[Field, ...]

_MOST_REMEMBERED_BYTES = 64

# RFC 9110 section 7.6.1, with the fields that older proxies use for the same purpose.
HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"http2-settings",
    }
)
# RFC 9112 section 6: what says where a body ends.
FRAMING = frozenset({b"content-length", b"transfer-encoding"})
# What speaks of one connection, or of where a body ends on it.
ENDING_HERE = HOP_BY_HOP | FRAMING

# RFC 9110 section 5.3: what is no list may not be repeated. `Host` and the framing have their own
# rules; a User-Agent may be, as the vendor's PHP SDK does: none of them leaves here.
ONCE = frozenset(
    {
        *(b"content-type", b"content-location", b"content-range"),
        *(b"etag", b"max-forwards", b"server"),
    }
)


def values_of(fields: Iterable[Field], name: bytes) -> list[bytes]:
    """Return the values of every field named `name` (lower case), in order."""
    # Lengths are compared first because folding every name would cost the most of a request.
    size = len(name)
    return [value for given, value in fields if len(given) == size and given.lower() == name]


def members_of(fields: Iterable[Field], name: bytes) -> tuple[bytes, ...]:
    """Return the members of a comma-separated list field, lower case, empty ones dropped."""
    return split_list(b",".join(values_of(fields, name)))


def split_list(value: bytes) -> tuple[bytes, ...]:
    """Return the members of a comma-separated value, lower case, empty ones dropped.

    RFC 9110 section 5.6.1: a recipient accepts and ignores empty list elements.
    """
    split = _split if len(value) <= _MOST_REMEMBERED_BYTES else _split.__wrapped__
    return split(value)


# What lists in heads say is nearly always one of a few words.
@lru_cache(maxsize=256)
def _split(value: bytes) -> tuple[bytes, ...]:
    members = (part.strip(b" \t").lower() for part in value.split(b","))
    return tuple(member for member in members if member)


def find_flaw(fields: Fields) -> str | None:
    """Return why these fields cannot be believed, or None (RFC 9110 section 5)."""
    # All at once; a line feed within a name or a value shows in the count.
    block = b"\n".join(chain.from_iterable(fields))
    if FIELD_BLOCK.fullmatch(block) is not None and block.count(b"\n") == max(
        0, 2 * len(fields) - 1
    ):
        return None
    flaws = (_flaw_of(number, *field) for number, field in enumerate(fields, 1))
    return next((flaw for flaw in flaws if flaw is not None), None)


def _flaw_of(number: int, name: bytes, value: bytes) -> str | None:
    # The bytes are not shown: a folded line's "name" is a piece of the value above it.
    if TOKEN.fullmatch(name) is None:
        return f"the name of field {number} is not a token"
    if FIELD_VALUE.fullmatch(value) is None:
        return f"the value of field {show(name)} has a control byte or outer white space"
    return None


def find_repeated(fields: Fields) -> bytes | None:
    """Return the name of the first field that is there again and may not be, or None."""
    folded = [name.lower() for name, _ in fields]
    if len(set(folded)) == len(folded):
        return None
    places = range(1, len(folded))
    again = (at for at in places if folded[at] in ONCE and folded[at] in folded[:at])
    return next((fields[at][0] for at in again), None)


def hop_by_hop(fields: Iterable[Field]) -> frozenset[bytes]:
    """Return the lower-case names that end at this hop, those `Connection` lists included."""
    listed = members_of(fields, b"connection")
    return HOP_BY_HOP.union(listed) if listed else HOP_BY_HOP

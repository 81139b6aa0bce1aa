"""The fields of a request, read once, and known again when the same ones come.

Programs send the same fields with each request, but for the length of its body and their
credential. Those two vary and are looked at each time; what all others say is worked out
when they are first seen, and remembered.

Rule 1: recalled or read, what is known of the fields is the same.
Rule 2: only what was believed under HTTP/1.1 is remembered; an error is found anew.
Rule 3: no credential is remembered, nor any field list that may hold a secret.
Rule 4: this module knows the fields that matter by name, and no policy about them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from gateway.core.framing import CHUNKED, LENGTH, NO_BODY, Framing
from gateway.core.grammar import CONTENT_LENGTH, FIELD_VALUE, MAY_BE_SECRET
from gateway.core.headers import (
    HOP_BY_HOP,
    Field,
    Fields,
    find_repeated,
    hop_by_hop,
    values_of,
)
from gateway.core.memo import Memo
from gateway.core.override import Spoken, read_override
from gateway.core.target import Authority, parse_authority
from gateway.core.varying import LENGTH_NAME, part_fields
from gateway.errors import BadRequest, ExpectationFailed, show

# Each costs memory of its own, which a count of bytes does not show; browsers send about twenty.
MOST_KEPT_FIELDS = 64
_MATTERING = frozenset(
    {
        *(LENGTH_NAME, b"transfer-encoding", b"expect", b"host", b"connection"),
        *(b"x-http-method-override", b"x-http-method", b"x-method-override"),
        *(b"sec-fetch-site", b"origin"),
    }
)
_OF_PAGES = frozenset({b"sec-fetch-site", b"origin"})


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """What believed fields say; compared by identity, so that it can be a key.

    `ending` are the lower-case names that end at this hop, `page` what a browser says of the
    page that asks, names in lower case. `size` is what the fields cost of a head, in bytes.
    `is_kept` tells that the same fields will be the same object.
    """

    is_chunked: bool
    expects_continue: bool
    host: Authority | None
    spoken: Spoken
    ending: frozenset[bytes]
    page: Fields
    size: int
    is_kept: bool


NOTHING_SAID = Section(False, False, None, Spoken(), HOP_BY_HOP, (), 0, False)


def choose_mattering(fields: Fields) -> Fields:
    """Return the fields that say something to a proxy."""
    return tuple(field for field in fields if field[0].lower() in _MATTERING)


def measure(fields: Fields) -> int:
    """Return what the fields cost of a head, in bytes.

    Each costs its bytes, a colon and CRLF; white space around the value is not known here.
    """
    return sum(map(len, chain.from_iterable(fields))) + 3 * len(fields)


class Sections:
    """Reads fields, and remembers what it read."""

    __slots__ = ("_memo",)

    def __init__(self, memo: Memo[Fields, Section] | None = None) -> None:
        self._memo: Memo[Fields, Section] = Memo() if memo is None else memo

    def recall(self, fields: Fields, max_bytes: int) -> tuple[Framing, Section] | None:
        """Return what is known of the fields of an HTTP/1.1 request that are not flawed.

        None when they must be read, and maybe refused: also when they are over `max_bytes`.
        """
        steady, varying = part_fields(fields)
        section = self._memo.get(steady)
        if section is None:
            return None
        framing = CHUNKED if section.is_chunked else NO_BODY
        size = section.size
        for name, value in varying:
            size += len(name) + len(value) + 3
            if FIELD_VALUE.fullmatch(value) is None:
                return None
            if name.lower() == LENGTH_NAME:
                if framing is not NO_BODY or CONTENT_LENGTH.fullmatch(value) is None:
                    return None
                framing = Framing(LENGTH, int(value))
        return (framing, section) if size <= max_bytes else None

    def read(self, fields: Fields, mattering: Fields, version: bytes, framing: Framing) -> Section:
        """Return what the fields say, remembering it if it may be, or raise a `Refused`.

        `mattering` are those of `choose_mattering`; names, values and framing were believed.
        """
        repeated = find_repeated(fields)
        if repeated is not None:
            raise BadRequest(f"{show(repeated)} is repeated")
        steady, _ = part_fields(fields)
        is_few = len(steady) <= MOST_KEPT_FIELDS
        is_kept = version == b"HTTP/1.1" and is_few and not _may_be_secret(steady)
        section = Section(
            is_chunked=framing is CHUNKED,
            expects_continue=_expects_continue(mattering, version),
            host=_host(mattering, version),
            spoken=read_override(mattering),
            ending=hop_by_hop(mattering),
            page=tuple(_pages(mattering)),
            size=measure(steady),
            is_kept=is_kept,
        )
        if is_kept:
            self._memo.put(steady, section, section.size)
        return section


def _may_be_secret(fields: Fields) -> bool:
    return MAY_BE_SECRET.search(b"\n".join(chain.from_iterable(fields)).lower()) is not None


def _pages(fields: Fields) -> list[Field]:
    named = ((name.lower(), value) for name, value in fields)
    return [(name, value) for name, value in named if name in _OF_PAGES]


def _host(fields: Fields, version: bytes) -> Authority | None:
    """Return the one Host (RFC 9112 section 3.2); only HTTP/1.0 may go without."""
    hosts = values_of(fields, b"host")
    if len(hosts) > 1:
        raise BadRequest("Host is repeated")
    if hosts:
        return parse_authority(hosts[0])
    if version == b"HTTP/1.1":
        raise BadRequest("Host is missing")
    return None


def _expects_continue(fields: Fields, version: bytes) -> bool:
    """Tell whether a 100 (Continue) is awaited (RFC 9110 section 10.1.1)."""
    expected = [value.lower() for value in values_of(fields, b"expect")]
    if any(value != b"100-continue" for value in expected):
        raise ExpectationFailed("only 'Expect: 100-continue' is understood")
    # RFC 9110 section 10.1.1: the expectation of an HTTP/1.0 request is ignored.
    return bool(expected) and version == b"HTTP/1.1"

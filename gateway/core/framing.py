"""Where a body ends, by RFC 9112 section 6, with no second opinion possible.

Request smuggling lives in the difference between two readers of one message. So a
message whose length can be read in two ways is refused, also where the RFC would let a
recipient repair it, and what is forwarded is always framed anew from the value made here.

Rule 1: whatever a parser below has let through is checked again.
Rule 2: this module sees fields and a method or status; it never sees a body byte.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

from gateway.core.grammar import CONTENT_LENGTH
from gateway.core.headers import Fields, values_of
from gateway.errors import show


class Kind(Enum):
    """How the end of a body is known."""

    NONE = "none"
    LENGTH = "length"
    CHUNKED = "chunked"
    CLOSE = "close"


# Before Python 3.12, looking a member up in its class costs as much as a call.
NOTHING, LENGTH, CHUNKS, CLOSE = Kind
_LINES = {LENGTH: b"Content-Length: %d\r\n", CHUNKS: b"Transfer-Encoding: chunked\r\n"}


@dataclass(frozen=True, slots=True)
class Framing:
    """How a body ends; `length` is bytes and is 0 unless the kind is LENGTH.

    `line` says so in a head; it is empty for what ends by itself, or with the connection.
    """

    kind: Kind
    length: int = 0
    line: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Render the line."""
        line = _LINES.get(self.kind, b"")
        object.__setattr__(self, "line", line % self.length if self.kind is LENGTH else line)

    @property
    def has_body(self) -> bool:
        """Tell whether a body byte may follow the head."""
        return self.kind is not NOTHING and not (self.kind is LENGTH and self.length == 0)


class Ambiguous(ValueError):
    """The length has two readings or none; the text says which rule is broken."""


NO_BODY = Framing(NOTHING)
EMPTY = Framing(LENGTH, 0)
CHUNKED = Framing(CHUNKS)
UNTIL_CLOSE = Framing(CLOSE)

# RFC 9110 section 6.4.1: responses to HEAD, and 1xx, 204 and 304, have no content.
BODILESS_STATUS = frozenset({204, 304})


@lru_cache(maxsize=1024)
def framing_of(length: int) -> Framing:
    """Return the framing of a body of so many bytes; making one anew takes six times as long."""
    return Framing(LENGTH, length)


def framing_fields(framing: Framing) -> Fields:
    """Return what the framing's line says, as fields."""
    name, colon, value = framing.line[:-2].partition(b": ")
    return ((name, value),) if colon else ()


def frame_request(fields: Fields, version: bytes) -> Framing:
    """Return how a request's body ends, or raise `Ambiguous`."""
    return _declared(fields, version) or NO_BODY


def frame_reply(fields: Fields, version: bytes, method: str, status: int) -> Framing:
    """Return how the body of a reply to `method` ends, or raise `Ambiguous`."""
    declared = _declared(fields, version)
    if method == "HEAD" or status < 200 or status in BODILESS_STATUS:
        return NO_BODY
    # RFC 9112 section 6.3, rule 8: a response without a declared length ends at the close.
    return declared or UNTIL_CLOSE


def _declared(fields: Fields, version: bytes) -> Framing | None:
    codings = values_of(fields, b"transfer-encoding")
    lengths = values_of(fields, b"content-length")
    if codings:
        return _chunked(codings, lengths, version)
    if not lengths:
        return None
    # RFC 9112 section 6.3, rule 5 allows equal repeats to be folded; a hop behind us might not.
    if len(lengths) > 1:
        raise Ambiguous("Content-Length is repeated")
    if CONTENT_LENGTH.fullmatch(lengths[0]) is None:
        raise Ambiguous(f"Content-Length '{show(lengths[0])}' is not a number of bytes")
    return Framing(LENGTH, int(lengths[0]))


def _chunked(codings: list[bytes], lengths: list[bytes], version: bytes) -> Framing:
    # RFC 9112 section 6.1: a server MAY reject a message that has both; section 11.2 says why.
    if lengths:
        raise Ambiguous("both Transfer-Encoding and Content-Length are present")
    # RFC 9112 section 6.1: Transfer-Encoding in HTTP/1.0 is faulty framing.
    if version == b"HTTP/1.0":
        raise Ambiguous("Transfer-Encoding has no meaning in HTTP/1.0")
    if len(codings) > 1 or codings[0].lower() != b"chunked":
        raise Ambiguous(f"Transfer-Encoding '{show(b', '.join(codings))}' is not 'chunked' alone")
    return CHUNKED

"""What differs between the heads of one program: the credentials, and the length of the body.

All other fields are steady. They are parted here from those that vary, as fields and as the
lines of a head.

Rule 1: a line is taken out of a head only where it is plain (`plain_head`), and whole; so a head
        is plain if its steady lines are those of a plain one, and no length is said twice.
Rule 2: which fields these are is the same for both.
"""

from __future__ import annotations

import re

from gateway.core.framing import NO_BODY, Framing, framing_of
from gateway.core.grammar import CONTENT_LENGTH, PLAIN_VALUE
from gateway.core.headers import Field, Fields

LENGTH_NAME = b"content-length"
_CREDENTIALS = (b"authorization", b"cookie", b"x-auth-token", b"proxy-authorization")
_VARYING = frozenset({LENGTH_NAME, *_CREDENTIALS})
# Lengths are compared first because folding every name would cost the most of a look.
_SIZES = frozenset(len(name) for name in _VARYING)
_LINE = re.compile(
    rb"\r\n(?i:%b: (%b)|(?:%b): %b)(?=\r\n|\Z)"
    % (LENGTH_NAME, PLAIN_VALUE, b"|".join(_CREDENTIALS), PLAIN_VALUE)
)
_CREDENTIAL_LINE = re.compile(rb"\r\n(?i:%b):" % b"|".join(_CREDENTIALS))


def holds_credential(head: bytes) -> bool:
    """Tell whether one of the fields of a valid head holds a credential."""
    return _CREDENTIAL_LINE.search(head) is not None


def part_fields(fields: Fields) -> tuple[Fields, list[Field]]:
    """Return the steady fields and the varying ones."""
    steady: list[Field] = []
    varying: list[Field] = []
    for field in fields:
        name = field[0]
        varies = len(name) in _SIZES and name.lower() in _VARYING
        (varying if varies else steady).append(field)
    return tuple(steady), varying


def steady_fields(fields: Fields) -> Fields:
    """Return the fields but for those that hold credentials, and the length of the body."""
    return part_fields(fields)[0]


def part_lines(lines: bytes) -> tuple[bytes, Framing | None]:
    """Return the steady lines, and how the body ends; None when that is not said plainly, or twice.

    Each line has its CRLF before it. A varying line that is not plain stays where it is.
    """
    parts = _LINE.split(lines)
    lengths = [length for length in parts[1::2] if length is not None]
    steady = b"".join(parts[::2])
    if not lengths:
        return steady, NO_BODY
    is_plain = len(lengths) == 1 and CONTENT_LENGTH.fullmatch(lengths[0]) is not None
    return steady, framing_of(int(lengths[0])) if is_plain else None

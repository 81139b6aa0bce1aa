"""The head of a reply, read strictly from its bytes.

Parsers made for clients forgive folded lines, a missing CR, spaces before a colon and
repeated lengths, and forgiving is where two readers of one stream begin to disagree. An
upstream that sends such a head is broken or attacked; it gets no second reading here.

Rule 1: the bytes are the whole head with its empty line, and nothing after it.
Rule 2: an interim head (1xx) is a head like another; what to do with it is the engine's.
Rule 3: an error shows no byte of what came: it may be the body of somebody else's reply.
"""

from __future__ import annotations

import re

from gateway.core.framing import BODILESS_STATUS, Ambiguous, Framing, Kind, frame_reply
from gateway.core.grammar import FIELD_LINE, FIELD_LINES, FIELD_PAIR, STATUS_LINE
from gateway.core.headers import Fields, members_of, values_of
from gateway.core.message import ReplyHead
from gateway.errors import UpstreamBroken

# One match for each field that frames, in a head whose lines are well-formed and lower case.
_LENGTHS = re.compile(
    rb"\r\n(?:content-length:[ \t]*+([0-9]{1,18})[ \t]*+(?=\r)|content-length:|transfer-encoding:)"
)
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


def parse_reply_head(raw: bytes, method: str) -> ReplyHead:
    """Read the head of a reply to the effective `method`, or raise `UpstreamBroken`."""
    if not raw.endswith(b"\r\n\r\n"):
        raise UpstreamBroken("upstream sent a head without the empty line that ends it")
    start = STATUS_LINE.match(raw)
    if start is None or raw[start.end() : start.end() + 2] != b"\r\n":
        raise UpstreamBroken("upstream sent something else where an HTTP/1 status line belongs")
    version, status, reason = start[1], int(start[2]), start[3] or b""
    fields = _parse_fields(raw, start.end() + 2)
    framing = _frame_simply(raw, method, status) or _frame(fields, version, method, status)
    return ReplyHead(status, reason, version, fields, framing)


def is_persistent(head: ReplyHead) -> bool:
    """Tell whether upstream keeps the connection, and can be trusted to (RFC 9112 section 9.3)."""
    options = members_of(head.fields, b"connection")
    if b"close" in options or (head.version != b"HTTP/1.1" and b"keep-alive" not in options):
        return False
    # RFC 9110 section 8.6: no length in a 204; a server that frames one may send what it framed.
    return head.status != 204 or not _frames_content(head)


def _frames_content(head: ReplyHead) -> bool:
    lengths = values_of(head.fields, b"content-length")
    codings = values_of(head.fields, b"transfer-encoding")
    return bool(codings) or any(int(length) for length in lengths)


def _parse_fields(raw: bytes, at: int) -> Fields:
    lines = FIELD_LINES.fullmatch(raw, at, len(raw) - 2)
    if lines is None:
        raise UpstreamBroken(f"upstream sent a malformed field line, number {_bad_line(raw[at:])}")
    pairs = FIELD_PAIR.findall(raw, at, len(raw) - 2)
    if b" \r\n" in raw or b"\t\r\n" in raw:
        return tuple((name, value.rstrip(b" \t")) for name, value in pairs)
    return tuple(pairs)


def _bad_line(block: bytes) -> int:
    """Return the number of the first malformed line, counted from 1."""
    lines = block[:-4].split(b"\r\n")
    return next(n for n, line in enumerate(lines, 1) if FIELD_LINE.fullmatch(line) is None)


def _frame_simply(raw: bytes, method: str, status: int) -> Framing | None:
    """Return the framing of a usual reply, by its one Content-Length; None for any other."""
    lengths = _LENGTHS.findall(raw.lower())
    if len(lengths) != 1 or method == "HEAD" or status < 200 or status in BODILESS_STATUS:
        return None
    # Transfer-Encoding has no digits to be found.
    return Framing(Kind.LENGTH, int(lengths[0])) if lengths[0] else None


def _frame(fields: Fields, version: bytes, method: str, status: int) -> Framing:
    framing = tuple(field for field in fields if field[0].lower() in _FRAMING)
    try:
        return frame_reply(framing, version, method, status)
    except Ambiguous as error:
        raise UpstreamBroken(f"upstream framed its reply badly: {error}") from None

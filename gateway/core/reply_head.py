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
from functools import lru_cache

from gateway.core.field_places import Places, places_among, places_of
from gateway.core.framing import (
    BODILESS_STATUS,
    CHUNKED,
    NO_BODY,
    UNTIL_CLOSE,
    Ambiguous,
    Framing,
    frame_reply,
    framing_of,
)
from gateway.core.grammar import (
    FIELD_LINE,
    FIELD_LINES,
    FIELD_PAIR,
    PLAIN_FIELD,
    PLAIN_REPLY,
    STATUS_LINE,
)
from gateway.core.headers import FRAMING, Fields, split_list
from gateway.core.message import ReplyHead, new_instance
from gateway.core.reply_shape import REASON, STATUS, ReplyShape
from gateway.errors import UpstreamBroken


def parse_reply_head(raw: bytes, method: str) -> ReplyHead:
    """Read the head of a reply to the effective `method`, or raise `UpstreamBroken`."""
    plain = PLAIN_REPLY.fullmatch(raw)
    if plain is None:
        return _parse_any(raw, method)
    names, values = zip(*PLAIN_FIELD.findall(plain[3]), strict=True)
    places = places_among(names)
    places.note_reply()
    return _head_of(int(plain[1]), plain[2], b"HTTP/1.1", values, places, method)


def read_like(match: re.Match[bytes], places: Places, shape: ReplyShape, method: str) -> ReplyHead:
    """Return what `parse_reply_head` does, of a head that the shape of these places matches."""
    found, pick_values, pick_lines = match.groups(), shape.pick_values, shape.pick_lines
    head = new_instance(ReplyHead)
    head.status, framing = _frame_usual(found[STATUS], found[shape.framing])
    head.reason, head.version = found[REASON], b"HTTP/1.1"
    head.framing = NO_BODY if method == "HEAD" else framing
    head.field_values, head.places = pick_values(found), places
    head.connection, head.lines = found[shape.connection], pick_lines(found)
    return head


def is_persistent(head: ReplyHead) -> bool:
    """Tell whether upstream keeps the connection, and can be trusted to (RFC 9112 section 9.3)."""
    listed, is_current = head.connection, head.version == b"HTTP/1.1"
    # Nearly all say this, or nothing.
    if listed != b"keep-alive" and not (_keeps(listed, is_current) if listed else is_current):
        return False
    # RFC 9110 section 8.6: no length in a 204; a server that frames one may send what it framed.
    return head.status != 204 or not _frames_content(head)


def _keeps(listed: bytes, is_current: bool) -> bool:
    options = split_list(listed)
    return b"close" not in options and (is_current or b"keep-alive" in options)


def _parse_any(raw: bytes, method: str) -> ReplyHead:
    if not raw.endswith(b"\r\n\r\n"):
        raise UpstreamBroken("upstream sent a head without the empty line that ends it")
    start = STATUS_LINE.match(raw)
    if start is None or raw[start.end() : start.end() + 2] != b"\r\n":
        raise UpstreamBroken("upstream sent something else where an HTTP/1 status line belongs")
    fields = _parse_fields(raw, start.end() + 2)
    values, places = tuple([value for _, value in fields]), places_of(fields)
    return _head_of(int(start[2]), start[3] or b"", start[1], values, places, method)


def _head_of(
    status: int,
    reason: bytes,
    version: bytes,
    values: tuple[bytes, ...],
    places: Places,
    method: str,
) -> ReplyHead:
    framing = _frame(values, places, version, method, status)
    listed = b",".join([values[at] for at in places.by_name.get(b"connection", ())])
    return ReplyHead(status, reason, version, values, framing, places, listed)


def _frames_content(head: ReplyHead) -> bool:
    lengths = head.values(b"content-length")
    return bool(head.values(b"transfer-encoding")) or any(int(length) for length in lengths)


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


# One answer after the other has nearly the same length.
@lru_cache(maxsize=1024)
def _frame_usual(status: bytes, value: bytes) -> tuple[int, Framing]:
    """Return the number of a status, and how the body ends of such a reply to a GET.

    `value` is that of its one field of framing, which a shape has checked; empty without one.
    """
    number = int(status)
    if number in BODILESS_STATUS:
        return number, NO_BODY
    if not value:
        return number, UNTIL_CLOSE
    return number, framing_of(int(value)) if value.isdigit() else CHUNKED


def _frame(
    values: tuple[bytes, ...], places: Places, version: bytes, method: str, status: int
) -> Framing:
    pairs = zip(places.folded, values, strict=True)
    framing = tuple(pair for pair in pairs if pair[0] in FRAMING)
    try:
        return frame_reply(framing, version, method, status)
    except Ambiguous as error:
        raise UpstreamBroken(f"upstream framed its reply badly: {error}") from None

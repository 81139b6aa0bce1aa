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
from gateway.core.framing import BODILESS_STATUS, Ambiguous, Framing, frame_reply, framing_of
from gateway.core.grammar import (
    CONTENT_LENGTH,
    FIELD_LINE,
    FIELD_LINES,
    FIELD_PAIR,
    PLAIN_FIELD,
    PLAIN_REPLY,
    STATUS_LINE,
)
from gateway.core.headers import FRAMING, Fields, split_list
from gateway.core.message import ReplyHead
from gateway.core.reply_shape import REASON, STATUS, ReplyShape
from gateway.errors import UpstreamBroken

# As many as `CONTENT_LENGTH` takes.
_MOST_DIGITS = 18


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
    found = match.groups()
    values, lines = shape.pick_values(found), shape.pick_lines(found)
    return _head_of(int(found[STATUS]), found[REASON], b"HTTP/1.1", values, places, method, lines)


def is_persistent(head: ReplyHead) -> bool:
    """Tell whether upstream keeps the connection, and can be trusted to (RFC 9112 section 9.3)."""
    options = split_list(head.connection)
    if b"close" in options or (head.version != b"HTTP/1.1" and b"keep-alive" not in options):
        return False
    # RFC 9110 section 8.6: no length in a 204; a server that frames one may send what it framed.
    return head.status != 204 or not _frames_content(head)


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
    lines: tuple[bytes, ...] = (),
) -> ReplyHead:
    framing = _frame_simply(values, places, method, status)
    framing = framing or _frame(values, places, version, method, status)
    listed = b",".join([values[at] for at in places.by_name.get(b"connection", ())])
    return ReplyHead(status, reason, version, values, framing, places, listed, lines)


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


def _frame_simply(
    values: tuple[bytes, ...], places: Places, method: str, status: int
) -> Framing | None:
    """Return the framing of a usual reply, by its one Content-Length; None for any other."""
    lengths = places.by_name.get(b"content-length", ())
    if len(lengths) != 1 or b"transfer-encoding" in places.by_name:
        return None
    if method == "HEAD" or status < 200 or status in BODILESS_STATUS:
        return None
    value = values[lengths[0]]
    return _length_of(value) if len(value) <= _MOST_DIGITS else None


@lru_cache(maxsize=1024)
def _length_of(value: bytes) -> Framing | None:
    return framing_of(int(value)) if CONTENT_LENGTH.fullmatch(value) else None


def _frame(
    values: tuple[bytes, ...], places: Places, version: bytes, method: str, status: int
) -> Framing:
    pairs = zip(places.folded, values, strict=True)
    framing = tuple(pair for pair in pairs if pair[0] in FRAMING)
    try:
        return frame_reply(framing, version, method, status)
    except Ambiguous as error:
        raise UpstreamBroken(f"upstream framed its reply badly: {error}") from None

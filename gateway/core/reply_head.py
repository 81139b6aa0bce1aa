"""The head of a reply, read strictly from its bytes.

Parsers made for clients forgive folded lines, a missing CR, spaces before a colon and
repeated lengths, and forgiving is where two readers of one stream begin to disagree. An
upstream that sends such a head is broken or attacked; it gets no second reading here.

Rule 1: the bytes are the whole head with its empty line, and nothing after it.
Rule 2: an interim head (1xx) is a head like another; what to do with it is the engine's.
Rule 3: an error shows no byte of what came: it may be the body of somebody else's reply.
"""

from __future__ import annotations

from gateway.core.framing import Ambiguous, Framing, frame_reply
from gateway.core.grammar import FIELD_LINE, STATUS_LINE
from gateway.core.headers import Field, Fields
from gateway.core.message import ReplyHead
from gateway.errors import UpstreamBroken


def parse_reply_head(raw: bytes, method: str) -> ReplyHead:
    """Read the head of a reply to the effective `method`, or raise `UpstreamBroken`."""
    if not raw.endswith(b"\r\n\r\n"):
        raise UpstreamBroken("upstream sent a head without the empty line that ends it")
    lines = raw[:-4].split(b"\r\n")
    start = STATUS_LINE.fullmatch(lines[0])
    if start is None:
        raise UpstreamBroken("upstream sent something else where an HTTP/1 status line belongs")
    version, status, reason = start[1], int(start[2]), start[3] or b""
    fields = tuple(_parse_field(line, number) for number, line in enumerate(lines[1:], 1))
    return ReplyHead(status, reason, version, fields, _frame(fields, version, method, status))


def _parse_field(line: bytes, number: int) -> Field:
    match = FIELD_LINE.fullmatch(line)
    if match is None:
        raise UpstreamBroken(f"upstream sent a malformed field line, number {number}")
    return match[1], match[2].strip(b" \t")


def _frame(fields: Fields, version: bytes, method: str, status: int) -> Framing:
    try:
        return frame_reply(fields, version, method, status)
    except Ambiguous as error:
        raise UpstreamBroken(f"upstream framed its reply badly: {error}") from None

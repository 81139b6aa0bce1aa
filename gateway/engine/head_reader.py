"""The heads of one reply, as their bytes come: interim ones dropped, the final one kept.

A whole head is read by `core.reply_head`. A part of one is checked line by line, so that
what can no longer become a head is refused at once and not when a timeout passes.

Rule 1: memory is bounded, and so is the work: it grows with the bytes, and not with the
        number of reads that they come in.
Rule 2: the verdict is the same wherever the stream is cut.
"""

from __future__ import annotations

from gateway.core.field_places import Places
from gateway.core.grammar import FIELD_LINE, STATUS_LINE
from gateway.core.message import ReplyHead
from gateway.core.reply_head import parse_reply_head, read_like
from gateway.errors import UpstreamBroken

# As large as the largest head that a caller may send us, by default.
MAX_HEAD_BYTES = 65536
# Ten times what upstreams send at most; each field costs memory of its own.
MAX_FIELDS = 1000
# A 102 each second for ten minutes is progress; more than this is a loop.
MAX_INTERIM_BYTES = 65536
# A field takes four bytes at least, so a head of these has no more of them.
_MOST_UNCHECKED_BYTES = 4 * MAX_FIELDS
_START = b"HTTP/1."
_END = b"\r\n\r\n"


class HeadReader:
    """Reads the heads of a reply to the effective `method`, and then those of the next ones.

    `rest` is what came after the final head that was returned.
    """

    __slots__ = ("_held", "_interim_bytes", "_like", "_line", "_seen", "method", "rest")

    def __init__(self, method: str) -> None:
        self.method = method
        # The names of the latest reply's fields; the next one probably has them, too.
        self._like: Places | None = None
        self._interim_bytes = 0
        self._held = bytearray()
        # Where the unfinished line starts, and up to where its end was looked for.
        self._line = 0
        self._seen = 0
        self.rest = b""

    def feed(self, data: bytes) -> ReplyHead | None:
        """Return the final head once it is there, or raise `UpstreamBroken`."""
        like = self._like
        if like is not None and not self._held and (shape := like.shape) is not None:
            # By a local name, as in `Wire`.
            match_whole = shape.match
            match = match_whole(data)
            if match is not None and (end := match.end()) <= _MOST_UNCHECKED_BYTES:
                self._interim_bytes = 0
                self.rest = data[end:]
                return read_like(match, like, shape, self.method)
        if self._held or (end := data.find(_END) + 4) < 4:
            return self._feed_held(data)
        head = self._parse(data[:end])
        if head.status < 200:
            self._drop(head, end)
            return self._feed_held(data[end:])
        self.rest = data[end:]
        return head

    def _feed_held(self, data: bytes) -> ReplyHead | None:
        held = self._held
        held += data
        while (end := held.find(_END, max(self._seen - 3, 0))) >= 0:
            raw = bytes(held[: end + 4])
            del held[: end + 4]
            self._line = self._seen = 0
            head = self._parse(raw)
            if head.status >= 200:
                self.rest = bytes(held)
                # They are the body's, and none of the next head.
                held.clear()
                return head
            self._drop(head, len(raw))
        self._check_part(held)
        return None

    def _parse(self, raw: bytes) -> ReplyHead:
        if len(raw) > _MOST_UNCHECKED_BYTES:
            _check_size(raw)
        head = parse_reply_head(raw, self.method)
        if head.status >= 200:
            self._interim_bytes = 0
            self._like = head.places if head.places.is_remembered else None
        return head

    def _drop(self, interim: ReplyHead, size: int) -> None:
        if interim.status == 101:
            # RFC 9110 section 15.2.2: only as an answer to Upgrade, which never leaves here.
            raise UpstreamBroken("upstream switched protocols unasked")
        self._interim_bytes += size
        if self._interim_bytes > MAX_INTERIM_BYTES:
            raise UpstreamBroken("upstream sends interim replies without end")

    def _check_part(self, held: bytearray) -> None:
        """Refuse what can no longer become a head."""
        if len(held) > MAX_HEAD_BYTES:
            raise UpstreamBroken(f"upstream sent a head of more than {MAX_HEAD_BYTES} bytes")
        if not held.startswith(_START[: len(held)]):
            raise UpstreamBroken("upstream sent something that is not HTTP/1.1")
        while (end := held.find(b"\n", self._seen) + 1) > 0:
            pattern = FIELD_LINE if self._line else STATUS_LINE
            line = held[self._line : end]
            if not line.endswith(b"\r\n") or pattern.fullmatch(line[:-2]) is None:
                raise UpstreamBroken("upstream sent a head with a malformed line")
            self._line = self._seen = end
        self._seen = len(held)


def _check_size(raw: bytes) -> None:
    if len(raw) > MAX_HEAD_BYTES:
        raise UpstreamBroken(f"upstream sent a head of more than {MAX_HEAD_BYTES} bytes")
    # The status line and the empty line are no fields.
    if raw.count(b"\n") - 2 > MAX_FIELDS:
        raise UpstreamBroken(f"upstream sent a head of more than {MAX_FIELDS} fields")

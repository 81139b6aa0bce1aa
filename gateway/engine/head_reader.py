"""The heads of one reply, as their bytes come: interim ones dropped, the final one kept.

A whole head is read by `core.reply_head`. A part of one is checked line by line, so that
what can no longer become a head is refused at once and not when a timeout passes.

Rule 1: memory is bounded, and so is the work: no byte is looked at twice for every read.
Rule 2: the verdict is the same wherever the stream is cut.
"""

from __future__ import annotations

from gateway.core.grammar import FIELD_LINE, STATUS_LINE
from gateway.core.message import ReplyHead
from gateway.core.reply_head import parse_reply_head
from gateway.errors import UpstreamBroken

# As large as the largest head that a caller may send us, by default.
MAX_HEAD_BYTES = 65536
# Ten times what servers send at most; each field costs memory of its own.
MAX_FIELDS = 1000
# A 102 each second for ten minutes is progress; more than this is a loop.
MAX_INTERIM_BYTES = 65536
_START = b"HTTP/1."
_END = b"\r\n\r\n"


class HeadReader:
    """Reads the heads of one reply to the effective `method`; `rest` is what came after."""

    __slots__ = ("_checked", "_interim_bytes", "_method", "rest")

    def __init__(self, method: str) -> None:
        self._method = method
        self._interim_bytes = 0
        # Where the first line starts that was not yet complete.
        self._checked = 0
        self.rest = b""

    def feed(self, data: bytes) -> ReplyHead | None:
        """Return the final head once it is there, or raise `UpstreamBroken`."""
        self.rest += data
        while (end := self.rest.find(_END, max(self._checked - 2, 0))) >= 0:
            raw, self.rest = self.rest[: end + 4], self.rest[end + 4 :]
            self._checked = 0
            head = self._parse(raw)
            if head.status >= 200:
                return head
            self._drop(head, len(raw))
        self._check_part()
        return None

    def _parse(self, raw: bytes) -> ReplyHead:
        if len(raw) > MAX_HEAD_BYTES:
            raise UpstreamBroken(f"upstream sent a head of more than {MAX_HEAD_BYTES} bytes")
        # The status line and the empty line are no fields.
        if raw.count(b"\n") - 2 > MAX_FIELDS:
            raise UpstreamBroken(f"upstream sent a head of more than {MAX_FIELDS} fields")
        return parse_reply_head(raw, self._method)

    def _drop(self, interim: ReplyHead, size: int) -> None:
        if interim.status == 101:
            # RFC 9110 section 15.2.2: only as an answer to Upgrade, which never leaves here.
            raise UpstreamBroken("upstream switched protocols unasked")
        self._interim_bytes += size
        if self._interim_bytes > MAX_INTERIM_BYTES:
            raise UpstreamBroken("upstream sends interim replies without end")

    def _check_part(self) -> None:
        """Refuse what can no longer become a head."""
        held = self.rest
        if len(held) > MAX_HEAD_BYTES:
            raise UpstreamBroken(f"upstream sent a head of more than {MAX_HEAD_BYTES} bytes")
        if not held.startswith(_START[: len(held)]):
            raise UpstreamBroken("upstream sent something that is not HTTP/1.1")
        while (end := held.find(b"\n", self._checked) + 1) > 0:
            pattern = FIELD_LINE if self._checked else STATUS_LINE
            line = held[self._checked : end]
            if not line.endswith(b"\r\n") or pattern.fullmatch(line[:-2]) is None:
                raise UpstreamBroken("upstream sent a head with a malformed line")
            self._checked = end

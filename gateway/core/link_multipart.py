"""Links in the JSON parts of a multipart body (RFC 2046 section 5.1), as it streams.

The vendor answers bulk calls with `multipart/mixed`. A part's own Content-Type says
whether it is JSON; every other part passes as it is, and so does a part that states its
own Content-Length, because rewriting would make a liar of it.

Rule 1: delimiters, part heads, preamble and epilogue are never changed.
Rule 2: a body that is not as RFC 2046 has it passes as it is; no input raises.
Rule 3: what is held is bounded: a delimiter's beginning, or a part's head.
"""

from __future__ import annotations

import re

from gateway.core.link_json import JsonRewriter
from gateway.core.links import Links
from gateway.core.media_type import is_json

_CRLF = b"\r\n"
_BLANK_LINE = b"\r\n\r\n"
# The head of a part has a few short fields; a longer one is none that we know.
_MOST_HEAD_BYTES = 8192
_FIELD = re.compile(rb"([!-9;-~]+):[ \t]*([^\r\n]*)")
# RFC 2046 section 5.1.1: transport padding, then the line's end; "--" closes the last part.
_AFTER_DELIMITER = re.compile(rb"[ \t]*\r\n")


class MultipartRewriter:
    """Rewrites one body, fed in pieces that may be cut anywhere."""

    __slots__ = ("_at", "_buffer", "_delimiter", "_in_head", "_links", "_part", "_started")

    def __init__(self, boundary: bytes, links: Links) -> None:
        self._delimiter = _CRLF + b"--" + boundary
        self._links = links
        # The first delimiter may stand at the very beginning, without a line before it.
        self._buffer = _CRLF
        self._started = False
        # Where in the buffer the next step begins; all before has been returned.
        self._at = 0
        self._in_head = False
        self._part: JsonRewriter | None = None

    def feed(self, data: bytes) -> bytes:
        """Return what is settled by now."""
        self._buffer = self._buffer[self._at :] + data
        self._at = 0
        out: list[bytes] = []
        while self._take_head(out) if self._in_head else self._take_body(out):
            pass
        return self._begin(b"".join(out))

    def finish(self) -> bytes:
        """Return the rest; the body has ended."""
        rest = self._buffer[self._at :]
        return self._begin(rest if self._in_head else self._pass(rest) + self._end_part())

    def whole(self, data: bytes) -> bytes:
        """Return a whole body rewritten; instead of `feed` and `finish`."""
        return self.feed(data) + self.finish()

    def _begin(self, out: bytes) -> bytes:
        """Return `out` without the line end that was put before the body."""
        if self._started or not out:
            return out
        self._started = True
        return out.removeprefix(_CRLF)

    def _take_body(self, out: list[bytes]) -> bool:
        """Take a part's body, or what of it is here; tell whether its end was found."""
        end = self._buffer.find(self._delimiter, self._at)
        if end < 0:
            end = len(self._buffer) - _overlap(self._buffer, self._delimiter)
            out.append(self._pass(self._buffer[self._at : end]))
            self._at = end
            return False
        out += [self._pass(self._buffer[self._at : end]), self._end_part(), self._delimiter]
        self._at = end + len(self._delimiter)
        self._in_head = True
        return True

    def _take_head(self, out: list[bytes]) -> bool:
        """Take a part's head, which says what its body is; tell whether it is here."""
        at, most = self._at, self._at + _MOST_HEAD_BYTES
        end = self._buffer.find(_BLANK_LINE, at, most)
        is_cut = self._buffer.find(self._delimiter, at, most if end < 0 else end) >= 0
        if end < 0 and not is_cut and len(self._buffer) < most:
            return False
        if end >= 0 and not is_cut:
            if _is_json_head(self._buffer[at:end]):
                self._part = JsonRewriter(self._links)
            # The blank line stays for the body: of a body that is empty, the delimiter uses it.
            self._at = end + len(_CRLF)
            out.append(self._buffer[at : self._at])
        self._in_head = False
        return True

    def _pass(self, data: bytes) -> bytes:
        return data if self._part is None else self._part.feed(data)

    def _end_part(self) -> bytes:
        part, self._part = self._part, None
        return b"" if part is None else part.finish()


def _overlap(data: bytes, delimiter: bytes) -> int:
    """Return how many bytes at the end of `data` may begin a delimiter."""
    most = min(len(data), len(delimiter) - 1)
    return next((size for size in range(most, 0, -1) if data.endswith(delimiter[:size])), 0)


def _is_json_head(head: bytes) -> bool:
    """Tell whether a part with this head, from its delimiter on, is JSON to be rewritten."""
    line = _AFTER_DELIMITER.match(head + _CRLF)
    if line is None:
        return False
    found = {match[1].lower(): match[2] for match in _FIELD.finditer(head, line.end())}
    plain = not found.keys() & {b"content-length", b"content-encoding"}
    # RFC 2045 section 6.1: other encodings than these change the bytes.
    encoding = found.get(b"content-transfer-encoding", b"8bit").lower()
    plain = plain and encoding in (b"7bit", b"8bit", b"binary")
    return plain and is_json(found.get(b"content-type", b""))

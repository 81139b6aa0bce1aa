"""Where heads and bodies begin and end in what a caller sends.

aiohttp's parser is given one head, or bytes of one body, at a time. So what it rejects
takes no request before it along, what is answered is the same wherever the bytes were
cut into segments, and the very bytes of a head are at hand. Bodies are measured by our
own reading of the framing: two readers must agree where the next request begins.

Rule 1: the verdict on bytes is the same wherever they are cut.
Rule 2: of a head no more than `max_head_bytes` is given out, of a request line nothing
        before its end, unless it can no longer become one.
Rule 3: a chunked body is given out framed anew, because the parser takes a trailer field
        for the first one of the next head.
Rule 4: this module knows nothing of connections; it is fed and asked.
"""

from __future__ import annotations

import re

from gateway.core.chunked import LAST_CHUNK, ChunkedReader, render_chunk
from gateway.core.framing import CHUNKS, Framing
from gateway.core.grammar import LF, TCHAR

# The longest registered method, BASELINE-CONTROL, has 16 letters.
MAX_METHOD_BYTES = 32
# What may still become a request line, which is then judged as a whole.
_LINE_BEGUN = re.compile(TCHAR + rb"{1,%d}(?: [^\r\n]*\r?)?" % MAX_METHOD_BYTES)
# " " twice and "HTTP/1.1" around the method and the target.
_LINE_EXTRA_BYTES = MAX_METHOD_BYTES + 10
_EMPTY_LINES = re.compile(rb"(?:\r\n)+")
_END = b"\r\n\r\n"


class Boundary:
    """Takes bytes as they come, gives them out in parts that belong to one head or body.

    `head` is what was given out of the head under way, or of the last one.
    """

    __slots__ = ("_held", "_in_head", "_left", "_max_head", "_max_line", "chunks", "head")

    def __init__(self, max_head_bytes: int, max_target_bytes: int) -> None:
        self._max_head = max_head_bytes
        self._max_line = max_target_bytes + _LINE_EXTRA_BYTES
        self._held = b""
        self._in_head = True
        self._left = 0
        self.chunks: ChunkedReader | None = None
        self.head = b""

    @property
    def in_body(self) -> bool:
        """Tell whether the next byte belongs to a body."""
        return self._left > 0 or self.chunks is not None

    @property
    def left(self) -> int:
        """Return how many bytes of a body have not come, 0 also where nobody knows."""
        return 0 if self._held else self._left

    @property
    def is_idle(self) -> bool:
        """Tell whether a message has ended, or none has come, and nothing of a next one is here."""
        return not (self._held or self._left or self.chunks or (self._in_head and self.head))

    @property
    def announced(self) -> int:
        """Return how many bytes the largest chunk of the body under way has."""
        return self.chunks.announced if self.chunks is not None else 0

    @property
    def head_begun(self) -> bool:
        """Tell whether a head has begun and not ended."""
        return self._in_head and bool(self.head or self._held)

    @property
    def head_too_large(self) -> bool:
        """Tell whether a head goes on after as much as it may have."""
        return self._in_head and len(self.head) >= self._max_head and bool(self._held)

    def receive(self, data: bytes) -> None:
        """Take what has come."""
        self._held = self._held + data if self._held else data

    def skip(self, size: int) -> bool:
        """Let the next `size` bytes pass by, if all of them are the body's and more follow."""
        if self._held or size >= self._left:
            return False
        self._left -= size
        return True

    def drop(self) -> None:
        """Let go of what is held: nobody will take it."""
        self._held = b""

    def take(self) -> bytes:
        """Return the next part, b"" when more must come first; raise `BadChunk`."""
        if not self._held:
            return b""
        if self._left:
            part = self._split(min(self._left, len(self._held)))
            self._left -= len(part)
            return part
        return self._take_head() if self.chunks is None else self._take_chunks(self.chunks)

    def end_head(self, framing: Framing) -> None:
        """Take note that the head is complete, and how the body after it is framed."""
        self._in_head = False
        self._left = framing.length
        self.chunks = ChunkedReader() if framing.kind is CHUNKS else None

    def _take_head(self) -> bytes:
        if not self._in_head or not self.head:
            self._begin_head()
            if self._is_line_open():
                return b""
        # The end may have begun in what was given out already.
        overlap = self.head[-3:]
        end = (overlap + self._held).find(_END)
        size = len(self._held) if end < 0 else end + len(_END) - len(overlap)
        part = self._split(min(size, self._max_head - len(self.head)))
        self.head += part
        return part

    def _begin_head(self) -> None:
        """Drop empty lines before a request line (RFC 9112 section 2.2)."""
        self._in_head = bool(self._held)
        self.head = b""
        empty = _EMPTY_LINES.match(self._held)
        if empty is not None:
            self._held = self._held[empty.end() :]

    def _is_line_open(self) -> bool:
        """Tell whether a request line has not ended, and may still become one."""
        held = self._held
        if LF in held or len(held) > min(self._max_line, self._max_head):
            return False
        return held == b"\r" or _LINE_BEGUN.fullmatch(held) is not None

    def _take_chunks(self, chunks: ChunkedReader) -> bytes:
        """Return the chunks framed anew: what is in extensions and trailers goes no further."""
        parts = [render_chunk(piece) for piece in chunks.feed(self._held)]
        self._held = b""
        if chunks.done:
            parts.append(LAST_CHUNK)
            self._held, self.chunks = chunks.rest, None
        return b"".join(parts)

    def _split(self, size: int) -> bytes:
        """Return the first `size` bytes of what is held, and hold the others."""
        held = self._held
        if size == len(held):
            self._held = b""
            return held
        self._held = held[size:]
        return held[:size]

"""The chunked coding (RFC 9112 section 7.1), read strictly and written plainly, without I/O.

Bytes go in as they come, body bytes come out; chunk extensions and trailer fields are
dropped, as the RFC permits a recipient to do. What is not exactly the grammar is an
error, so that nobody behind us can read the same stream differently.

Rule 1: memory is bounded: at most one line is held.
Rule 2: the verdict on a stream is the same wherever it is cut.
Rule 3: what follows the last chunk is not ours; `rest` gives it back.
Rule 4: an error shows no byte of the stream: it may be a body's.
"""

from __future__ import annotations

from gateway.core.grammar import CHUNK_LINE, FIELD_LINE

# A chunk line is a few bytes, a trailer field some hundreds; longer ones are an attack.
_MAX_LINE = 4096
# As much as a head may have (`limits.max_head_bytes`), for the fields that come after the body.
_MAX_TRAILER = 65536


LAST_CHUNK = b"0\r\n\r\n"


class BadChunk(ValueError):
    """The stream is not chunked as the RFC has it."""


class ChunkedReader:
    """Reads one chunked body.

    `done` tells that its end was seen, `announced` how many bytes its largest chunk has.
    """

    __slots__ = ("_held", "_left", "_trailer", "announced", "done")

    def __init__(self) -> None:
        self._held = b""
        # Bytes until the next chunk line: the rest of a chunk's data and its CRLF.
        self._left = 0
        # None until the last chunk was seen; then the bytes of trailer fields read so far.
        self._trailer: int | None = None
        self.announced = 0
        self.done = False

    @property
    def rest(self) -> bytes:
        """Return what came after the end of the body."""
        return self._held

    def feed(self, data: bytes) -> list[bytes]:
        """Return the body bytes in `data`, in order, or raise `BadChunk`."""
        data = self._held + data
        found: list[bytes] = []
        at = 0
        while not self.done:
            step = self._take_data(data, at, found) if self._left else self._take_line(data, at)
            if step is None:
                break
            at = step
        self._held = data[at:]
        return found

    def _take_data(self, data: bytes, at: int, found: list[bytes]) -> int | None:
        """Take chunk data or its CRLF; return where it ends, None when more must come."""
        body = data[at : at + self._left - 2]
        if body:
            found.append(body)
            self._left -= len(body)
            return at + len(body)
        ending = data[at : at + 2]
        if self._left > 2 or ending in (b"", b"\r"):
            return None
        if ending != b"\r\n":
            raise BadChunk("chunk data is not followed by CRLF")
        self._left = 0
        return at + 2

    def _take_line(self, data: bytes, at: int) -> int | None:
        """Take a chunk line or a trailer line; return where it ends, None when it has not."""
        end = data.find(b"\n", at)
        # A line that has not ended may have its CR already, which is not of its length.
        size = (len(data) if end < 0 else end) - at - 1
        if size > _MAX_LINE:
            raise BadChunk(f"a line of the chunked coding is over {_MAX_LINE} bytes")
        if end < 0:
            return None
        line = data[at : end + 1]
        if not line.endswith(b"\r\n"):
            raise BadChunk("a line of the chunked coding ends in LF without CR")
        if self._trailer is None:
            self._take_size(line[:-2])
        else:
            self._take_trailer(line[:-2])
        return end + 1

    def _take_size(self, line: bytes) -> None:
        match = CHUNK_LINE.fullmatch(line)
        if match is None:
            raise BadChunk("a chunk does not begin with its size in hex")
        size = int(match[1], 16)
        self.announced = max(self.announced, size)
        if size:
            self._left = size + 2
        else:
            self._trailer = 0

    def _take_trailer(self, line: bytes) -> None:
        if not line:
            self.done = True
            return
        if FIELD_LINE.fullmatch(line) is None:
            raise BadChunk("the trailer section has a malformed field line")
        self._trailer = (self._trailer or 0) + len(line) + 2
        if self._trailer > _MAX_TRAILER:
            raise BadChunk(f"the trailer section is over {_MAX_TRAILER} bytes")


def render_chunk(data: bytes) -> bytes:
    """Return one chunk; `data` is not empty, which would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def frame_chunk(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the same in three pieces, so that long data need not be copied."""
    return b"%x\r\n" % len(data), data, b"\r\n"

"""Bodies in their coding, around a rewriter: decoded, rewritten, encoded again, by pieces.

Rule 1: what is decoded comes in pieces, however much a few bytes unfold to.
Rule 2: a body that is no gzip, or ends before its end, is an error, never a shorter body.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from gateway.errors import UpstreamBroken
from gateway.policy.relink import Rewriter

# RFC 1952: zlib reads and writes the gzip format with this window.
_GZIP = 16 + zlib.MAX_WBITS
# As much as one read from a socket.
_PIECE_BYTES = 262144
# The fastest: the text was compressed well once, and crosses one more network at most.
_LEVEL = 1


class Gunzip:
    """Decodes one body."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(_GZIP)
        self._begun = False

    def unfold(self, data: bytes) -> Iterator[bytes]:
        """Yield what `data` unfolds to, or raise `UpstreamBroken`."""
        while data:
            if self._decoder.eof:
                # RFC 1952 section 2.2: members follow one another.
                self._decoder = zlib.decompressobj(_GZIP)
            self._begun = True
            try:
                yield self._decoder.decompress(data, _PIECE_BYTES)
            except zlib.error:
                raise UpstreamBroken(
                    "upstream sent a body that is not the gzip it claims"
                ) from None
            data = self._decoder.unconsumed_tail or self._decoder.unused_data

    def check_end(self) -> None:
        """Raise `UpstreamBroken` unless what came ends where a member ends, or is nothing."""
        if self._begun and not self._decoder.eof:
            raise UpstreamBroken("upstream ended a gzip body before its end")


def unfold(data: bytes, most_bytes: int) -> bytes | None:
    """Return a whole body decoded, None when it is over `most_bytes`, or raise `UpstreamBroken`."""
    gunzip, pieces, size = Gunzip(), [], 0
    for piece in gunzip.unfold(data):
        pieces.append(piece)
        size += len(piece)
        if size > most_bytes:
            return None
    gunzip.check_end()
    return b"".join(pieces)


def fold(data: bytes) -> bytes:
    """Return a whole body encoded."""
    return zlib.compress(data, _LEVEL, _GZIP)


class GzipStage:
    """A rewriter for a body in gzip, of which a few bytes may unfold to many pieces."""

    is_even = False

    def __init__(self, rewriter: Rewriter) -> None:
        self._rewriter = rewriter
        self._gunzip = Gunzip()
        self._encoder = zlib.compressobj(_LEVEL, wbits=_GZIP)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what is settled by now, so that the caller can decode it already."""
        for piece in self._gunzip.unfold(data):
            yield self._encoder.compress(self._rewriter.feed(piece))
        yield self._encoder.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> Iterator[bytes]:
        """Yield the rest, or raise `UpstreamBroken` when the body is cut short."""
        self._gunzip.check_end()
        yield self._encoder.compress(self._rewriter.finish()) + self._encoder.flush()


class PlainStage:
    """A rewriter for a body in no coding."""

    is_even = True

    def __init__(self, rewriter: Rewriter) -> None:
        self._rewriter = rewriter

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what is settled by now."""
        yield self._rewriter.feed(data)

    def finish(self) -> Iterator[bytes]:
        """Yield the rest."""
        yield self._rewriter.finish()

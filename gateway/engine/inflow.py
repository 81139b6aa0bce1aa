"""The body of a reply on its way in: counted, unchunked, held within bounds.

Fed by `upstream.py` as bytes arrive, emptied by `relay.py` as the caller takes them. It
knows when the body is complete, and never takes one that was cut short for whole.

Rule 1: whoever feeds it stops reading while `is_full`.
Rule 2: bytes after the end of the body are not part of it; `surplus` tells that they came.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from gateway.core.chunked import BadChunk, ChunkedReader
from gateway.core.framing import CHUNKS, CLOSE, LENGTH, Framing
from gateway.errors import UpstreamBroken

# One read of the event loop is 256 KiB, and a pipe holds 512, so at most that arrives after this.
FULL_BYTES = 65536
# Takes bytes of a body as they come, or tells with False that it cannot now.
Take: TypeAlias = Callable[[bytes], bool]


class Whole:
    """A reply body that came with its head, as most do; a part of what `Inflow` does.

    One serves a connection again and again: `data` is set for each reply, and `surplus` to False.
    """

    __slots__ = ("data", "ended", "is_full", "surplus", "taker")

    # All of it is here.
    left = 0

    def __init__(self) -> None:
        self.data = b""
        self.surplus = self.is_full = False
        self.ended = True
        # Nobody waits for what is here.
        self.taker: Take | None = None

    def let_by(self, size: int) -> None:
        """Never asked for: nothing is left to come."""

    def feed(self, data: bytes) -> None:
        """Take bytes that came after the end."""
        self.surplus = self.surplus or bool(data)

    def feed_eof(self) -> None:
        """Take the orderly end of the connection."""

    @property
    def held_bytes(self) -> int:
        """Return how many bytes wait to be taken."""
        return len(self.data)

    def peek(self) -> bytes:
        """Return what is held, and go on holding it."""
        return self.data

    def take(self) -> bytes:
        """Return what is held; empty when nothing is."""
        data, self.data = self.data, b""
        return data


class Inflow:
    """One reply body; `ended` means complete, by its own framing."""

    __slots__ = ("_chunks", "_held", "_kind", "_left", "_pieces", "ended", "surplus", "taker")

    def __init__(self, framing: Framing) -> None:
        self._kind = framing.kind
        self._left = framing.length
        self._chunks = ChunkedReader() if framing.kind is CHUNKS else None
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self.ended = not framing.has_body
        self.surplus = False
        # Is given bytes as they come, while nothing is held.
        self.taker: Take | None = None

    @property
    def is_full(self) -> bool:
        """Tell whether reading should pause."""
        return self._held >= FULL_BYTES

    @property
    def left(self) -> int:
        """Return how many bytes have not come yet, 0 where its length is not known."""
        return self._left if self._kind is LENGTH else 0

    def let_by(self, size: int) -> None:
        """Take note that so many came and were taken elsewhere; more follow."""
        self._left -= size

    def feed(self, data: bytes) -> None:
        """Take bytes from the wire, or raise `UpstreamBroken`."""
        if self.ended:
            self.surplus = self.surplus or bool(data)
        elif self._chunks is not None:
            self._feed_chunks(self._chunks, data)
        elif self._kind is LENGTH:
            self._feed_length(data)
        else:
            self._hold(data)

    def feed_eof(self) -> None:
        """Take the orderly end of the connection, or raise `UpstreamBroken`."""
        if self.ended:
            return
        if self._kind is not CLOSE:
            raise UpstreamBroken("upstream ended its reply before the body was complete")
        self.ended = True

    @property
    def held_bytes(self) -> int:
        """Return how many bytes wait to be taken."""
        return self._held

    def peek(self) -> bytes:
        """Return what is held, and go on holding it."""
        return b"".join(self._pieces)

    def take(self) -> bytes:
        """Return what is held, in order; empty when nothing is."""
        if not self._pieces:
            return b""
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._held = 0
        return data

    def _feed_length(self, data: bytes) -> None:
        if len(data) > self._left:
            self.surplus = True
            data = data[: self._left]
        self._left -= len(data)
        self._hold(data)
        self.ended = self._left == 0

    def _feed_chunks(self, chunks: ChunkedReader, data: bytes) -> None:
        try:
            # Together: chunks may be of a few bytes each.
            self._hold(b"".join(chunks.feed(data)))
        except BadChunk as error:
            raise UpstreamBroken(f"upstream chunked its reply badly: {error}") from None
        self.ended = chunks.done
        self.surplus = chunks.done and bool(chunks.rest)

    def _hold(self, data: bytes) -> None:
        """Hold bytes that the taker, if there is one, does not take."""
        taker = self.taker
        if not data or (taker is not None and taker(data)):
            return
        # What comes next comes after these.
        self.taker = None
        self._pieces.append(data)
        self._held += len(data)


def ended_early(how: str) -> UpstreamBroken:
    """Return what to say of a connection that was lost before its reply was complete."""
    return UpstreamBroken(
        f"upstream {how} the connection before its reply was complete",
        proxy_error="connection_terminated",
    )

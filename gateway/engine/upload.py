"""A request body on its way out, whose beginning is kept for a second attempt.

A body with a length leaves with that length. A chunked one is first read up to what may
be held: when it ends there it leaves with Content-Length, which the vendor asks for;
a longer one stays chunked. JSON that may be held is held, for its links to be restored.
What was sent is held while it fits, so that an attempt on a
stale connection can be repeated.

Rule 1: the size limit is checked on the bytes that came, whatever was declared.
Rule 2: the end of a chunked body leaves only when the caller's end has come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from aiohttp.streams import StreamReader

from gateway.config.model import Limits
from gateway.core.chunked import LAST_CHUNK, render_chunk
from gateway.core.framing import CHUNKED, CHUNKS, LENGTH, NOTHING, Framing, framing_of
from gateway.engine.incoming import Incoming, Source
from gateway.engine.inflow import Take
from gateway.engine.splice import Passage
from gateway.engine.upstream import UpstreamConnection
from gateway.engine.wire import Wire
from gateway.errors import BodyTooLarge


class Body(Protocol):
    """A request body on its way up, as its exchange sees it.

    `size` counts the bytes that came from the caller. `is_read` and `is_sent` tell that its end
    was seen and has left, `is_held` that all that was read can be sent again, `waiting` that
    the caller is waited for.
    """

    size: int
    waiting: bool
    is_read: bool
    is_sent: bool
    is_held: bool

    @property
    def framing_line(self) -> bytes:
        """Return the line that says how the body ends."""

    async def gather(self, deadline: float) -> None:
        """Read what the head may wait for, by `deadline`."""

    def begin(self) -> bytes:
        """Return the held bytes as they go out with the head; `is_sent` tells if that is all."""

    async def stream(self, upstream: UpstreamConnection) -> None:
        """Send the rest as it comes, no faster than upstream takes it."""

    def stop(self) -> None:
        """Send nothing more, from now on and not only when `stream` hears that it is cancelled."""


class Upload:
    """A request body that is read as it comes."""

    def __init__(
        self,
        source: Source,
        payload: StreamReader,
        declared: Framing,
        limits: Limits,
        restore: Callable[[bytes], bytes] | None = None,
    ) -> None:
        """Take a body framed as `declared`; `restore` changes one that can be held whole."""
        self._source = source
        self._payload = payload
        self._declared = declared
        self._limits = limits
        self._restore = restore if declared.length <= limits.replay_body_bytes else None
        self._restored: int | None = None
        self._may_pass_on = False
        self._pieces: list[bytes] = []
        self.size = 0
        self.waiting = False
        self.is_held = True
        self.is_read = not declared.has_body
        self.is_sent = False

    @property
    def framing(self) -> Framing:
        """Return how the body leaves; settled once `gather` is done."""
        if self._restored is not None:
            return Framing(LENGTH, self._restored)
        if self._declared.kind is not CHUNKS:
            return self._declared
        return Framing(LENGTH, self.size) if self.is_read and self.is_held else CHUNKED

    @property
    def framing_line(self) -> bytes:
        """Return the line that says how the body ends."""
        return self.framing.line

    async def gather(self, deadline: float) -> None:
        """Read what the head may wait for, by `deadline`.

        Of a chunked body, and of one to be restored, that is all that may be held; of another
        what is here already.
        """
        waits = self._declared.kind is CHUNKS or self._restore is not None
        while not self.is_read and self.is_held:
            if self._payload.is_eof():
                self._take(self._payload.read_nowait())
            elif waits:
                await self._read(deadline)
            else:
                return
        if self._restore is not None and self.is_held:
            self._pieces = [self._restore(b"".join(self._pieces))]
            self._restored = len(self._pieces[0])

    def begin(self) -> bytes:
        """Return the held bytes as they go out with the head; `is_sent` tells if that is all."""
        data = b"".join(self._pieces)
        self.is_sent = self.is_read and self.framing.kind is not CHUNKS
        self._drop_unless_held()
        return render_chunk(data) if data and self.framing.kind is CHUNKS else data

    async def stream(self, upstream: UpstreamConnection) -> None:
        """Send the rest as it comes, no faster than upstream takes it; stop when it is cut."""
        chunked = self.framing.kind is CHUNKS
        take = None if chunked else self.passing_to(upstream)
        while not self.is_read:
            piece = await self._read(float("inf"), take)
            # What was passed on meanwhile may be waiting to leave.
            await upstream.drain()
            if not upstream.is_quiet():
                # A reply that came early, and is lost with a write that meets a reset: read first.
                await asyncio.sleep(0)
            if upstream.is_cut:
                return
            if piece:
                self._drop_unless_held()
                upstream.write(render_chunk(piece) if chunked else piece)
                await upstream.drain()
        if chunked:
            upstream.write(LAST_CHUNK)
        self.is_sent = True

    def passing_to(self, upstream: UpstreamConnection) -> Take:
        """Return what sends pieces as they come, while upstream takes them."""
        self._may_pass_on = True
        return _Upward(self, upstream)

    def end(self) -> None:
        """Take note that all of the body came, and was sent as it came."""
        self.is_read = self.is_sent = True
        self.waiting = False

    def stop(self) -> None:
        """Send nothing more, from now on: what comes is the next attempt's."""
        self._may_pass_on = False

    def pass_on(self, upstream: UpstreamConnection, piece: bytes) -> bool:
        """Send a piece as it comes, while upstream takes them; tell whether it was sent."""
        is_allowed = self.size + len(piece) <= self._limits.max_body_bytes
        if not (is_allowed and self._may_pass_to(upstream)):
            return False
        if self.is_held:
            self._take(piece)
            self._drop_unless_held()
        else:
            self.size += len(piece)
        upstream.write(piece)
        return True

    def outlet(self, upstream: UpstreamConnection) -> Wire | None:
        """Return where pieces may leave unseen: those that need not be held."""
        return upstream.wire if not self.is_held and self._may_pass_to(upstream) else None

    def _may_pass_to(self, upstream: UpstreamConnection) -> bool:
        return self._may_pass_on and upstream.has_room and upstream.is_quiet()

    async def _read(self, deadline: float, take: Take | None = None) -> bytes:
        """Return the next piece that `take` does not take as it comes, b"" at the end."""
        self.waiting = True
        try:
            piece = await self._source.read_body(self._payload, deadline, take)
        finally:
            self.waiting = False
        self._take(piece)
        return piece

    def _take(self, piece: bytes) -> None:
        """Count a piece, and hold it while it fits."""
        self.is_read = self._payload.at_eof()
        self.size += len(piece)
        limit = self._limits.max_body_bytes
        if self.size > limit:
            raise BodyTooLarge(f"the body is over {limit} bytes (limits.max_body_bytes)")
        if self.is_held:
            self._pieces.append(piece)
            self.is_held = self.size <= self._limits.replay_body_bytes

    def _drop_unless_held(self) -> None:
        """Drop what has been sent and is too much to hold."""
        if not self.is_held:
            self._pieces.clear()


class _Upward(Passage):
    """What sends pieces of a body to upstream as they come."""

    __slots__ = ("_upload", "_upstream")

    def __init__(self, upload: Upload, upstream: UpstreamConnection) -> None:
        self._upload = upload
        self._upstream = upstream

    def __call__(self, data: bytes) -> bool:
        return self._upload.pass_on(self._upstream, data)

    def outlet(self) -> Wire | None:
        return self._upload.outlet(self._upstream)

    def count(self, size: int) -> None:
        self._upload.size += size


def upload_of(
    incoming: Incoming,
    declared: Framing,
    limits: Limits,
    restore: Callable[[bytes], bytes] | None = None,
) -> Body:
    """Return the body of a request, which is all here when nothing of it was parsed."""
    if incoming.body is None:
        return Upload(incoming.connection.bodies, incoming.payload, declared, limits, restore)
    return WholeUpload(incoming.body, declared, limits, restore)


def restore_whole(body: bytes, most_bytes: int, restore: Callable[[bytes], bytes] | None) -> bytes:
    """Return a body that is all here as it leaves: changed by `restore` if it may be held."""
    if restore is None or len(body) > most_bytes:
        return body
    return restore(body)


class WholeUpload:
    """A request body that is all here."""

    __slots__ = ("_data", "_declared", "is_held", "is_read", "is_sent", "size", "waiting")

    def __init__(
        self,
        body: bytes,
        declared: Framing,
        limits: Limits,
        restore: Callable[[bytes], bytes] | None = None,
    ) -> None:
        """Take a body framed as `declared`; `restore` changes one that may be held."""
        self.size = len(body)
        self.is_held = self.size <= limits.replay_body_bytes
        self._declared = declared
        self._data = restore_whole(body, limits.replay_body_bytes, restore)
        self.waiting = False
        self.is_read = True
        self.is_sent = False

    @property
    def framing_line(self) -> bytes:
        """Return the line that says how the body ends."""
        if self._declared.kind is NOTHING:
            return b""
        return framing_of(len(self._data)).line

    async def gather(self, deadline: float) -> None:
        """Do nothing: all of it is here."""

    def begin(self) -> bytes:
        """Return all of it."""
        self.is_sent = True
        return self._data

    async def stream(self, upstream: UpstreamConnection) -> None:
        """Do nothing: all of it has left with the head."""

    def stop(self) -> None:
        """Do nothing: nothing more is sent."""

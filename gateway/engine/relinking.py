"""A reply whose links lead back here: its head and body as they leave, before they leave.

A short body is held, so that one in which nothing changed leaves as it came and another
with its right length. A longer one streams through its rewriter, and its length is not
known.

Rule 1: what is held is bounded, folded and unfolded.
Rule 2: a body that is held and not in the coding it claims leaves as it came. Of one that streams
        that is an error: an answer when its beginning shows it, and a cut later on.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import Protocol, TypeVar

from gateway.core.framing import CHUNKED, LENGTH, NOTHING, framing_of
from gateway.core.link_json import lend_whole, rewrite_whole
from gateway.core.links import Lent, Links
from gateway.core.message import ReplyHead
from gateway.engine.coded import GzipStage, PlainStage, fold, unfold
from gateway.engine.inflow import Take
from gateway.engine.relay import ReplyBody
from gateway.errors import UpstreamBroken
from gateway.policy.relink import (
    Requested,
    Rewriter,
    coding_of,
    is_plain_json,
    relink_head,
    retell,
    rewriter_for,
    speaks_of_a_body,
)

# A page of a list is about this long; holding it costs no more than a read does.
MOST_HELD_BYTES = 65536
# JSON folds about tenfold.
_MOST_UNFOLDED_BYTES = 1048576

LentT = TypeVar("LentT", bound=Lent)


class Stage(Protocol):
    """What a streaming body passes through; pieces may be empty.

    `is_even` tells that bytes make one piece at most, which is not much longer than they are.
    """

    is_even: bool

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what is settled by now."""

    def finish(self) -> Iterator[bytes]:
        """Yield the rest."""


async def relink(
    head: ReplyHead, body: ReplyBody, links: Links | None, requested: Requested, idle_s: float
) -> tuple[ReplyHead, ReplyBody]:
    """Return the reply as the caller gets it; raises what reading a held body raises."""
    if links is None:
        return head, body
    if is_plain_json(head) and _is_held(head):
        data = await _read_all(body, idle_s)
        head, data = _told(head, data, rewrite_whole(links, data))
        return head, HeldBody(data)
    head, rewriter = _relink_head(head, links, requested)
    if rewriter is None:
        return head, body
    is_gzip = bool(coding_of(head))
    if _is_held(head):
        raw = await _read_all(body, idle_s)
        return _relink_held(head, raw, rewriter, is_gzip=is_gzip)
    stage = GzipStage(rewriter) if is_gzip else PlainStage(rewriter)
    return retell(head, CHUNKED), StreamedBody(body, stage)


def relink_whole(
    head: ReplyHead, data: bytes, links: Links, requested: Requested
) -> tuple[ReplyHead, Lent] | None:
    """Return the reply as `relink` does, its body being `data`; what is written of it is lent.

    None if that must be coded anew, or would leave as a stream.
    """
    framing = head.framing
    # `_is_held` without the call, which is 1.4 % of the instructions of a short answer.
    is_held = framing.kind is LENGTH and framing.length <= MOST_HELD_BYTES
    if is_held and is_plain_json(head):
        return _told(head, data, lend_whole(links, data))
    head, rewriter = _relink_head(head, links, requested)
    if rewriter is None:
        return head, data
    if coding_of(head) or not is_held:
        return None
    return _told(head, data, rewriter.whole(data))


def _told(head: ReplyHead, data: bytes, written: LentT) -> tuple[ReplyHead, bytes | LentT]:
    """Return what is written of a body, with a head that is true of it."""
    # A view is compared byte by byte, and is only of what has changed.
    if isinstance(written, bytes) and written == data:
        return head, data
    return retell(head, framing_of(len(written))), written


def _relink_head(
    head: ReplyHead, links: Links, requested: Requested
) -> tuple[ReplyHead, Rewriter | None]:
    """Return the head with its own links rewritten, and what the body is to pass through."""
    head = relink_head(head, links)
    if head.framing.kind is NOTHING:
        speaks = speaks_of_a_body(head, links, requested)
        return retell(head, head.framing) if speaks else head, None
    return head, rewriter_for(head, links) if head.framing.has_body else None


def _is_held(head: ReplyHead) -> bool:
    return head.framing.kind is LENGTH and head.framing.length <= MOST_HELD_BYTES


def _relink_held(
    head: ReplyHead, raw: bytes, rewriter: Rewriter, *, is_gzip: bool
) -> tuple[ReplyHead, ReplyBody]:
    try:
        decoded = unfold(raw, _MOST_UNFOLDED_BYTES) if is_gzip else raw
    except UpstreamBroken:
        return head, HeldBody(raw)
    if decoded is None:
        return retell(head, CHUNKED), StreamedBody(HeldBody(raw), GzipStage(rewriter))
    written = rewriter.whole(decoded)
    if written == decoded:
        return head, HeldBody(raw)
    data = fold(written) if is_gzip else written
    return retell(head, framing_of(len(data))), HeldBody(data)


async def _read_all(body: ReplyBody, idle_s: float) -> bytes:
    data, is_last = body.take_body()
    pieces = [data]
    while not is_last:
        pieces.append(await body.read_body(idle_s))
        is_last = not pieces[-1]
    return b"".join(pieces)


class HeldBody:
    """A body that is all here."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        self._data = data

    def take_body(self) -> tuple[bytes, bool]:
        """Return all of it, once."""
        data, self._data = self._data, b""
        return data, True

    async def read_body(self, idle_s: float, take: Take | None = None) -> bytes:
        """Return what was not taken yet, b"" at the end."""
        return self.take_body()[0]


class StreamedBody:
    """A body that passes through a stage as it is read."""

    __slots__ = ("_ended", "_first", "_pieces", "_source", "_stage", "_staged")

    def __init__(self, source: ReplyBody, stage: Stage) -> None:
        """Put through what is here; raises what is wrong with it, before a head has left."""
        self._source = source
        self._stage = stage
        data, _ = source.take_body()
        self._pieces: Iterator[bytes] = filter(None, stage.feed(data))
        self._first = next(self._pieces, b"")
        # How many bytes of those that the source gives next went through the stage already.
        self._staged = 0
        self._ended = False

    def take_body(self) -> tuple[bytes, bool]:
        """Return what is here already, once; the end is told by `read_body`."""
        first, self._first = self._first, b""
        return first, False

    async def read_body(self, idle_s: float, take: Take | None = None) -> bytes:
        """Return the next bytes, b"" at the end; raise when the body is cut short or no gzip.

        Those that `take` takes while this waits are not returned.
        """
        pass_on = partial(self._pass_on, take) if take is not None and self._stage.is_even else None
        while not (piece := next(self._pieces, b"")) and not self._ended:
            self._put_through(await self._source.read_body(idle_s, pass_on))
        return piece

    def _put_through(self, data: bytes) -> None:
        """Have the stage take what is read; b"" is the end."""
        self._ended = not data
        fresh, self._staged = data[self._staged :], 0
        pieces = self._stage.finish() if self._ended else self._stage.feed(fresh)
        self._pieces = chain(self._pieces, filter(None, pieces))

    def _pass_on(self, take: Take, data: bytes) -> bool:
        """Have `take` take what becomes of bytes as they come; tell whether it did."""
        piece = b"".join(self._stage.feed(data))
        if not piece or take(piece):
            return True
        # They stay in the source, and what became of them here.
        self._pieces, self._staged = iter((piece,)), len(data)
        return False

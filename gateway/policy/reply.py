"""The head a caller gets: what is dropped from upstream's, what is added.

The vendor's fields pass untouched, because clients are written against them. Dropped
is what ends at this hop, what only the gateway may say, and what would mislead a
browser that talks to us.

Rule 1: framing is made anew from the reply's own framing; nothing here reads a body.
Rule 2: this module knows nothing of sockets; whether the connection stays open is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from gateway.core.field_places import Places
from gateway.core.framing import (
    CHUNKED,
    CLOSE,
    EMPTY,
    LENGTH,
    NO_BODY,
    NOTHING,
    UNTIL_CLOSE,
    Framing,
)
from gateway.core.headers import ENDING_HERE, Fields, split_list
from gateway.core.links import Lent
from gateway.core.message import ReplyHead
from gateway.core.reply_shape import picking
from gateway.policy.forward import Plan

_NEVER = ENDING_HERE | {b"x-request-id", b"x-gateway-error"}
_PROXY_AUTH = b"proxy-auth"
_ACCESS_CONTROL = b"access-control-"
_OURS = b"Via: 1.1 rc-gateway\r\nX-Request-Id: "
_UNCACHED = b"Cache-Control: no-store\r\n" + _OURS
_END = b"\r\n"
_MOST_REMEMBERED_BYTES = 256


class ReplyHeads:
    """The heads of the replies to one plan, as its caller gets them.

    Replies to the same request nearly all have the same names, so what became of the latest
    ones is remembered; nothing of the plan is, but what is asked of it here.
    """

    __slots__ = (
        *("_is_for_page", "_is_head", "_is_old", "_is_owned", "_is_tunnelled"),
        *("_listed", "_places", "_shape"),
    )

    def __init__(self, plan: Plan) -> None:
        request = plan.permitted.routed.request
        page = request.section.page
        self._is_for_page = bool(page) and _is_for_page(page)
        self._is_head = request.method == "HEAD"
        self._is_old = request.version == b"HTTP/1.0"
        self._is_owned = plan.upstream.scheme.owned
        self._is_tunnelled = request.method != request.wire_method
        self._places: Places | None = None
        self._listed = b""
        self._shape = _NO_SHAPE

    def render(
        self, head: ReplyHead, request_id: str, *, close: bool
    ) -> tuple[list[Lent], Framing]:
        """Return the head for the caller, in pieces, and how the body leaves.

        The caller is told that the connection ends when `close` says so, or the framing.
        """
        framing, end = self.frame(head)
        if ends_connection(framing, close=close):
            end += b"Connection: close\r\n"
        elif self._is_old:
            # RFC 9112 section 9.3: it would take the end of the answer for that of the connection.
            end += b"Connection: keep-alive\r\n"
        shape = self._shape
        if head.places is not self._places or head.connection != self._listed or head.status == 401:
            shape = self._choose(head)
        ours = (shape.ours, request_id.encode(), _END, end, _END)
        if shape.is_whole and head.lines:
            return [*head.lines, *ours], framing
        values = shape.pick(head.field_values)
        return [shape.template % (head.status, head.reason, *values), *ours], framing

    def frame(self, head: ReplyHead) -> tuple[Framing, bytes]:
        """Return how the body leaves and the line that says so.

        An upstream body that ends at the close leaves chunked, so that its end can be told
        from a cut; an HTTP/1.0 caller gets it ended by the close.
        """
        framing = head.framing
        kind = framing.kind
        if head.status == 205:
            # RFC 9110 section 15.3.6: a 205 has no content, and says so.
            return EMPTY, EMPTY.line
        if self._is_head:
            # It may have left as GET, and then upstream sends a body; the caller is sent none.
            return NO_BODY, _declared_length(head)
        if kind is LENGTH:
            return framing, framing.line
        if kind is NOTHING:
            return framing, _declared_length(head)
        return (UNTIL_CLOSE, b"") if self._is_old else (CHUNKED, CHUNKED.line)

    def _choose(self, head: ReplyHead) -> _Shape:
        """Return what becomes of a head's fields, and remember it if others may be like it."""
        # The caller cannot answer the challenge, and `Basic` opens a browser's password box.
        is_masked = head.status == 401 and self._is_owned
        places, listed = head.places, head.connection
        is_kept = places.is_remembered and len(listed) <= _MOST_REMEMBERED_BYTES
        choose = _choose if is_kept else _choose.__wrapped__
        shape = choose(places, listed, is_masked, self._is_for_page, self._is_tunnelled)
        if is_kept and not is_masked:
            self._places, self._listed, self._shape = places, listed, shape
        return shape


def ends_connection(framing: Framing, *, close: bool) -> bool:
    """Tell whether the connection ends with an answer framed so, `close` wanting it to or not."""
    return close or framing.kind is CLOSE


def _is_for_page(page: Fields) -> bool:
    """Tell by the fields of pages whether one may see the answer.

    What upstream allows, it allows to pages that hold a credential of their own.
    """
    return any(name == b"origin" for name, _ in page)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What becomes of fields of these names: which values are kept, and how they are written.

    `template` takes status, reason and the values kept; `is_whole` tells that these are the lines
    of `ReplyHead.lines`. `ours` follows, up to our id.
    """

    pick: Callable[[tuple[bytes, ...]], tuple[bytes, ...]]
    template: bytes
    is_whole: bool
    ours: bytes


_NO_SHAPE = _Shape(tuple, b"", False, b"")


# An upstream sends few sequences of names; a long one is not worth its memory.
@lru_cache(maxsize=512)
def _choose(
    places: Places, listed: bytes, is_masked: bool, is_for_page: bool, is_tunnelled: bool
) -> _Shape:
    """Choose among fields by their names; `listed` is what `Connection` lists."""
    folded = places.folded
    never = _NEVER.union(split_list(listed))
    if is_masked:
        never |= {b"www-authenticate"}
    families = (_PROXY_AUTH, _ACCESS_CONTROL) if is_for_page else (_PROXY_AUTH,)
    kept = [
        place
        for place, name in enumerate(folded)
        if name not in never and not name.startswith(families)
    ]
    # "%" may stand in a name.
    lines = [places.names[place].replace(b"%", b"%%") + b": %b\r\n" for place in kept]
    # A cache in front of us saw a POST, and knows nothing of what it did.
    is_stored = not is_tunnelled or any(folded[place] == b"cache-control" for place in kept)
    ours = _OURS if is_stored else _UNCACHED
    is_whole = kept == [place for place, name in enumerate(folded) if name not in ENDING_HERE]
    # RFC 9110 section 2.5: the version sent is the sender's own, whatever was received.
    return _Shape(picking(kept), b"HTTP/1.1 %d %b\r\n" + b"".join(lines), is_whole, ours)


def _declared_length(head: ReplyHead) -> bytes:
    """Return the line of the length that a bodiless reply declares of the representation.

    RFC 9110 section 8.6: allowed in replies to HEAD and in 304, forbidden in 1xx and 204.
    """
    if head.status == 204 or head.status < 200:
        return b""
    length = head.first(b"content-length")
    return b"" if length is None else b"Content-Length: %b\r\n" % length

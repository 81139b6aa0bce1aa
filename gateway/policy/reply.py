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
from operator import itemgetter

from gateway.core.field_places import Places
from gateway.core.framing import (
    CHUNKED,
    EMPTY,
    LENGTH,
    NO_BODY,
    NOTHING,
    UNTIL_CLOSE,
    Framing,
    framing_line,
)
from gateway.core.headers import HOP_BY_HOP, split_list
from gateway.core.message import ReplyHead
from gateway.policy.forward import Plan

_NEVER = HOP_BY_HOP | {b"content-length", b"x-request-id", b"x-gateway-error"}
_PROXY_AUTH = b"proxy-auth"
_ACCESS_CONTROL = b"access-control-"
_OURS = b"Via: 1.1 rc-gateway\r\nX-Request-Id: %b\r\n"
_UNCACHED = b"Cache-Control: no-store\r\n" + _OURS
_MOST_REMEMBERED_BYTES = 256


def render_reply_fields(plan: Plan, head: ReplyHead, request_id: bytes) -> bytes:
    """Return the lines of the fields for the caller, without framing and `Connection`."""
    # The caller cannot answer the challenge, and `Basic` opens a browser's password box.
    is_masked = head.status == 401 and plan.upstream.scheme.owned
    # What upstream allows, it allows to pages that hold a credential of their own.
    request = plan.request
    page = request.section.page
    is_for_page = bool(page) and any(name == b"origin" for name, _ in page)
    listed = head.joined(b"connection")
    is_kept = head.places.is_remembered and len(listed) <= _MOST_REMEMBERED_BYTES
    choose = _choose if is_kept else _choose.__wrapped__
    shape = choose(head.places, listed, is_masked, is_for_page)
    lines = shape.template % shape.pick(head.field_values)
    # A cache in front of us saw a POST, and knows nothing of what it did.
    ours = _UNCACHED if request.tunnelled and not shape.has_cache_control else _OURS
    return lines + ours % request_id


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is done with fields of these names: which values are kept, and how they are written."""

    pick: Callable[[tuple[bytes, ...]], bytes | tuple[bytes, ...]]
    template: bytes
    has_cache_control: bool


# An upstream sends few sequences of names; a long one is not worth its memory.
@lru_cache(maxsize=512)
def _choose(places: Places, listed: bytes, is_masked: bool, is_for_page: bool) -> _Shape:
    """Choose among fields by their names; `listed` is what `Connection` lists."""
    folded = places.folded
    never = _NEVER.union(split_list(listed))
    if is_masked:
        never |= {b"www-authenticate"}
    families = (_PROXY_AUTH, _ACCESS_CONTROL) if is_for_page else (_PROXY_AUTH,)
    kept = tuple(
        place
        for place, name in enumerate(folded)
        if name not in never and not name.startswith(families)
    )
    # "%" may stand in a name.
    lines = [places.names[place].replace(b"%", b"%%") + b": %b\r\n" for place in kept]
    has_cache_control = any(folded[place] == b"cache-control" for place in kept)
    pick = itemgetter(*kept) if kept else _nothing
    return _Shape(pick, b"".join(lines), has_cache_control)


def _nothing(_values: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return ()


def frame_for_caller(plan: Plan, head: ReplyHead) -> tuple[Framing, bytes]:
    """Return how the body leaves and the line that says so.

    An upstream body that ends at the close leaves chunked, so that its end can be told
    from a cut; an HTTP/1.0 caller gets it ended by the close.
    """
    kind, request = head.framing.kind, plan.request
    if head.status == 205:
        # RFC 9110 section 15.3.6: a 205 has no content, and says so.
        return EMPTY, framing_line(EMPTY)
    if request.method == "HEAD":
        # It may have left as GET, and then upstream sends a body; the caller is sent none.
        return NO_BODY, _declared_length(plan, head)
    if kind is LENGTH:
        return head.framing, framing_line(head.framing)
    if kind is NOTHING:
        return head.framing, _declared_length(plan, head)
    if request.version == b"HTTP/1.0":
        return UNTIL_CLOSE, b""
    return CHUNKED, framing_line(CHUNKED)


def _declared_length(plan: Plan, head: ReplyHead) -> bytes:
    """Return the line of the length that a bodiless reply declares of the representation.

    RFC 9110 section 8.6: allowed in replies to HEAD and in 304, forbidden in 1xx and 204.
    """
    if head.status == 204 or head.status < 200:
        return b""
    length = head.first(b"content-length")
    return b"" if length is None else b"Content-Length: %b\r\n" % length

"""What link rewriting does to a message: whether its body is read, what its head says then.

A reply's body is read when it is whole, JSON or multipart/mixed, and in a coding that we speak;
any other leaves as it came. A head that described bytes that are no longer those is
changed so that it stays true.

Rule 1: 206 is never read: its bytes are a piece of something that the caller puts together.
Rule 2: what upstream forbids to transform is not transformed (RFC 9110 section 7.7).
Rule 3: `Location`, `Content-Location` and `Link` are rewritten whatever the body is.
Rule 4: a request's body is restored when it is JSON, and nothing in its head vouches for bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Protocol, TypeAlias

from gateway.core.entity_tags import names_strong, weaken
from gateway.core.field_places import Places, places_among
from gateway.core.framing import NOTHING, Framing
from gateway.core.headers import split_list, values_of
from gateway.core.link_json import JsonRewriter, rewrite_whole
from gateway.core.link_multipart import MultipartRewriter
from gateway.core.links import LINK_FIELDS, Links, rewrite_field
from gateway.core.media_type import is_json, multipart_boundary
from gateway.core.memo import Memo
from gateway.core.message import ReplyHead, Request
from gateway.core.reply_shape import Pick, picking

Rewriter: TypeAlias = JsonRewriter | MultipartRewriter

# They speak of the bytes that upstream sent, or invite to ask for a piece of them.
_OF_THE_BYTES = frozenset(
    {b"content-md5", b"digest", b"content-digest", b"repr-digest", b"accept-ranges"}
)
# What a caller has coded or sealed is not opened.
_SEALED = frozenset(
    {
        *(b"content-encoding", b"content-md5", b"digest", b"content-digest", b"repr-digest"),
        *(b"signature", b"signature-input"),
    }
)
# One has no body; of the other see rule 1.
_UNREAD = frozenset({205, 206})
_CODINGS: dict[tuple[bytes, ...], str] = {
    (b"identity",): "",
    (b"gzip",): "gzip",
    (b"x-gzip",): "gzip",
}

_Usual: TypeAlias = tuple[int, int | None] | tuple[()]
_True: TypeAlias = tuple[Pick, tuple[int, ...], Places] | tuple[()]
# Looking into an `lru_cache` takes three times as long.
_usual: Memo[Places, _Usual] = Memo(512)
# Of heads with a body, and of those without.
_true: tuple[Memo[Places, _True], Memo[Places, _True]] = Memo(512), Memo(512)


class Requested(Protocol):
    """What a reply answers; to say the request may mean to decide it, so that few ask for it."""

    @property
    def request(self) -> Request:
        """Return the request that is forwarded."""
        ...


def rewriter_for(head: ReplyHead, links: Links) -> Rewriter | None:
    """Return what rewrites the body of a reply, decoded; None for a body that is left alone."""
    if head.status in _UNREAD or coding_of(head) is None:
        return None
    if b"no-transform" in head.members(b"cache-control"):
        return None
    kind = head.first(b"content-type")
    if kind is None or len(head.places.by_name[b"content-type"]) > 1:
        return None
    if is_json(kind):
        return JsonRewriter(links)
    boundary = multipart_boundary(kind)
    return None if boundary is None else MultipartRewriter(boundary, links)


def is_plain_json(head: ReplyHead) -> bool:
    """Tell whether `rewrite_whole` is all that a reply's body needs, and `retell` its head.

    For most replies this is what the other functions here would find out one after the other.
    """
    found = _usual.get(head.places)
    if found is None:
        found = _find_usual(head.places)
    if not found or head.status in _UNREAD:
        return False
    kind, cache_control = found
    values = head.field_values
    if cache_control is not None and b"no-transform" in split_list(values[cache_control]):
        return False
    return is_json(values[kind])


def _find_usual(places: Places) -> _Usual:
    """Find where Content-Type and Cache-Control stand; empty where more is to be looked at."""
    by_name = places.by_name
    kinds, cache_controls = (by_name.get(name, ()) for name in (b"content-type", b"cache-control"))
    found: _Usual = ()
    is_coded, has_links = b"content-encoding" in by_name, not by_name.keys().isdisjoint(LINK_FIELDS)
    if len(kinds) == 1 and len(cache_controls) < 2 and not is_coded and not has_links:
        found = kinds[0], cache_controls[0] if cache_controls else None
    if places.is_remembered:
        _usual.put(places, found, 1)
    return found


def coding_of(head: ReplyHead) -> str | None:
    """Return the coding of a reply's body, "" or "gzip", None for one that is not spoken here."""
    listed = head.members(b"content-encoding")
    return _CODINGS.get(listed) if listed else ""


def speaks_of_a_body(head: ReplyHead, links: Links, requested: Requested) -> bool:
    """Tell whether a bodiless head describes a body that is rewritten where it is sent.

    If it is 304, the body is one that the caller has already, as it was sent then.
    """
    if head.status != 304:
        return rewriter_for(head, links) is not None
    held, tags = values_of(requested.request.fields, b"if-none-match"), head.values(b"etag")
    # RFC 9111 section 4.3.4: a strong validator updates "stored responses with one of those same
    # strong validators", and no others.
    is_strong = names_strong(b",".join(held), tags[0]) if len(tags) == 1 else None
    if is_strong is not None:
        return not is_strong
    # RFC 9110 section 8.8.4: a client "MUST send that entity tag in any cache validation request".
    # So this one holds none; and what a weak tag promises is true of either form.
    return not head.values(b"content-type") or rewriter_for(head, links) is not None


def restorer_for(request: Request, links: Links | None) -> Callable[[bytes], bytes] | None:
    """Return what restores the links in a whole request body; None for one that is left alone."""
    if links is None or any(name.lower() in _SEALED for name, _ in request.fields):
        return None
    types = values_of(request.fields, b"content-type")
    if len(types) != 1 or not is_json(types[0]):
        return None
    return partial(rewrite_whole, links)


def relink_head(head: ReplyHead, links: Links) -> ReplyHead:
    """Return the head with the links in its own fields rewritten."""
    if head.places.by_name.keys().isdisjoint(LINK_FIELDS):
        return head
    pairs = zip(head.places.folded, head.field_values, strict=True)
    values = tuple(rewrite_field(*pair, links) for pair in pairs)
    return replace(head, field_values=values, lines=())


def retell(head: ReplyHead, framing: Framing) -> ReplyHead:
    """Return the head of a body whose bytes were, or may have been, changed.

    A bodiless one, in answer to HEAD, says what it would say with the body.
    """
    is_bodiless = framing.kind is NOTHING
    found = _true[is_bodiless].get(head.places)
    if found is None:
        found = _choose_true(head.places, is_bodiless=is_bodiless)
    if not found:
        return head.framed(framing)
    pick, tags, kept = found
    values = pick(head.field_values)
    if tags:
        weak = list(values)
        for tag in tags:
            weak[tag] = weaken(weak[tag])
        values = tuple(weak)
    return ReplyHead(head.status, head.reason, head.version, values, framing, kept, head.connection)


def _choose_true(places: Places, *, is_bodiless: bool) -> _True:
    """Choose what picks the values that stay, which of those are tags, and where they stand then.

    Empty where all stay as they are.
    """
    untrue = _OF_THE_BYTES | {b"content-length"} if is_bodiless else _OF_THE_BYTES
    folded = places.folded
    kept = [place for place, name in enumerate(folded) if name not in untrue]
    tags = tuple(at for at, place in enumerate(kept) if folded[place] == b"etag")
    found: _True = ()
    if tags or len(kept) != len(folded):
        found = picking(kept), tags, places_among([places.names[place] for place in kept])
    if places.is_remembered:
        _true[is_bodiless].put(places, found, 1)
    return found

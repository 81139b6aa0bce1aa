"""A request head of the plainest kind, read from its bytes in one step.

What nearly every program sends is plain: one Host, no coding of the transfer, nothing that
asks for another protocol. Such a head has one reading, which
is the same here and in the parser that reads all others.

Rule 1: what is not plain is not judged here, and not an error.
Rule 2: the fields are the pairs that llhttp would find, in their order.
"""

from __future__ import annotations

from gateway.core.field_places import Places, places_of
from gateway.core.grammar import PLAIN_FIELD, PLAIN_HEAD
from gateway.core.headers import ONCE, Fields
from gateway.core.message import Listener, RawHead, new_raw_head

# Each changes what may follow the head, or who answers.
_NOT_PLAIN = frozenset(
    {
        *(b"transfer-encoding", b"expect", b"upgrade", b"connection", b"proxy-connection"),
        *(b"keep-alive", b"te", b"trailer", b"http2-settings", b"sec-websocket-key1"),
    }
)
# All of them are aiohttp's to refuse.
_ONCE = ONCE | {b"host", b"content-length"}
_OPTIONS = frozenset({b"keep-alive", b"close"})


def parse_plain_head(head: bytes, listener: Listener) -> RawHead | None:
    """Return a head that is plain, None for any other; `head` ends with its empty line."""
    match = PLAIN_HEAD.fullmatch(head)
    if match is None:
        return None
    method, target, block = match.groups()
    fields = tuple(PLAIN_FIELD.findall(block))
    places = places_of(fields)
    found = places.by_name
    if b"host" not in found or (len(found) < len(fields) and _has_second(places)):
        return None
    if not found.keys().isdisjoint(_NOT_PLAIN) and not _only_one_option(fields, places):
        return None
    return new_raw_head(method, target, b"HTTP/1.1", fields, listener, places)


def _has_second(places: Places) -> bool:
    return any(len(places.by_name.get(name, ())) > 1 for name in _ONCE)


def _only_one_option(fields: Fields, places: Places) -> bool:
    """Tell whether all that is not plain is one `Connection`, that it stays or that it ends."""
    said = [place for place, name in enumerate(places.folded) if name in _NOT_PLAIN]
    if len(said) > 1 or places.folded[said[0]] != b"connection":
        return False
    return fields[said[0]][1].lower() in _OPTIONS

"""A request head of the plainest kind, read from its bytes in one step.

What nearly every program sends is plain: one Host, no coding of the transfer, nothing that
asks for another protocol. Such a head has one reading, which
is the same here and in the parser that reads all others.

Rule 1: what is not plain is not judged here, and not an error.
Rule 2: the fields are the pairs that llhttp would find, in their order.
"""

from __future__ import annotations

from gateway.core.grammar import PLAIN_FIELD, PLAIN_HEAD
from gateway.core.headers import Fields
from gateway.core.message import Listener, RawHead

# Each changes what may follow the head, or who answers.
_NOT_PLAIN = frozenset(
    {
        *(b"transfer-encoding", b"expect", b"upgrade", b"connection", b"proxy-connection"),
        *(b"keep-alive", b"te", b"trailer", b"http2-settings", b"sec-websocket-key1"),
    }
)
# RFC 9110 section 5.3: what is no list may not be repeated; aiohttp refuses it.
_ONCE = frozenset(
    {
        *(b"host", b"content-length", b"content-type", b"content-location", b"content-range"),
        *(b"etag", b"max-forwards", b"server", b"user-agent"),
    }
)
_OPTIONS = frozenset({b"keep-alive", b"close"})


def parse_plain_head(head: bytes, listener: Listener) -> RawHead | None:
    """Return a head that is plain, None for any other; `head` ends with its empty line."""
    match = PLAIN_HEAD.fullmatch(head)
    if match is None:
        return None
    method, target, block = match.groups()
    fields = tuple(PLAIN_FIELD.findall(block))
    names = [name.lower() for name, _ in fields]
    if b"host" not in names or (len(set(names)) < len(names) and _has_second(names)):
        return None
    if not _NOT_PLAIN.isdisjoint(names) and not _only_one_option(fields, names):
        return None
    return RawHead(method, target, b"HTTP/1.1", fields, listener)


def _has_second(names: list[bytes]) -> bool:
    return any(names.count(name) > 1 for name in _ONCE)


def _only_one_option(fields: Fields, names: list[bytes]) -> bool:
    """Tell whether all that is not plain is one `Connection`, that it stays or that it ends."""
    said = [value for (_, value), name in zip(fields, names, strict=True) if name in _NOT_PLAIN]
    return names.count(b"connection") == len(said) == 1 and said[0].lower() in _OPTIONS

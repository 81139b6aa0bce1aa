"""The media type of a body, as far as link rewriting asks (RFC 9110 section 8.3).

Rule 1: what cannot be read is no type that we know, and its body stays as it is.
Rule 2: this module reads values; who sent them, and what is done then, it does not know.
"""

from __future__ import annotations

import re

from gateway.core.grammar import TCHAR
from gateway.core.memo import Memo

_TYPE = re.compile(rb"(" + TCHAR + rb"+)/(" + TCHAR + rb"+)[ \t]*(?=;|\Z)")
_PARAMETER = re.compile(
    rb";[ \t]*(?:(" + TCHAR + rb'+)=(?:"((?:[^"\\]|\\.)*)"|(' + TCHAR + rb"+))[ \t]*)?(?=;|\Z)"
)
_QUOTED_PAIR = re.compile(rb"\\(.)")
# Upstreams send a handful of types; whatever else they send must not grow for ever.
_MOST_KEPT = 64
_types: Memo[bytes, bool] = Memo(_MOST_KEPT)
_known_types = _types.get
# RFC 8259 section 8.1: JSON is UTF-8, of which ASCII is a part.
_UTF_8 = frozenset({b"utf-8", b"utf8", b"us-ascii"})


def is_json(value: bytes) -> bool:
    """Tell whether a Content-Type is JSON in UTF-8: `application/json`, `…+json`, `text/json`."""
    known = _known_types(value)
    if known is None:
        known = _is_json(value)
        _types.put(value, known, len(value))
    return known


def _is_json(value: bytes) -> bool:
    parsed = parse_media_type(value)
    if parsed is None:
        return False
    kind, parameters = parsed
    family, _, name = kind.partition(b"/")
    named = name.endswith(b"+json") or (name == b"json" and family in (b"application", b"text"))
    return named and parameters.get(b"charset", b"utf-8").lower() in _UTF_8


def multipart_boundary(value: bytes) -> bytes | None:
    """Return the boundary of a `multipart/mixed` Content-Type, None for another type."""
    parsed = parse_media_type(value)
    if parsed is None or parsed[0] != b"multipart/mixed":
        return None
    return parsed[1].get(b"boundary") or None


def parse_media_type(value: bytes) -> tuple[bytes, dict[bytes, bytes]] | None:
    """Return `type/subtype` and the parameters, names in lower case; None when malformed."""
    start = _TYPE.match(value)
    if start is None:
        return None
    parameters: dict[bytes, bytes] = {}
    at = start.end()
    while at < len(value):
        match = _PARAMETER.match(value, at)
        if match is None:
            return None
        if match[1] is not None:
            text = match[3] if match[2] is None else _QUOTED_PAIR.sub(rb"\1", match[2])
            if parameters.setdefault(match[1].lower(), text) != text:
                return None
        at = match.end()
    return (start[1] + b"/" + start[2]).lower(), parameters

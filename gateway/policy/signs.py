"""By what an answer of the vendor's is known from one that a hop on the way made up.

The vendor signs answers with its request id or routing key. Where a hop drops these, its
errors, and its list of versions, are known by their members; that they are JSON proves
nothing, because a middlebox speaks it as well.

Rule 1: a status with which middleboxes turn away is the vendor's only with a sign of it.
Rule 2: what this module says no of may still be the vendor's; only a yes is certain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.core.message import ReplyHead

# The longest error that the vendor's documentation shows is a quarter of this.
MOST_BYTES = 4096
_FIELDS = (b"rcrequestid", b"routingkey")
# Forbidden, the proxy's own 401, and censored (RFC 7725).
_TURNED_AWAY = frozenset({403, 407, 451})


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer: its head, and how its body begins, `MOST_BYTES` of it at most."""

    head: ReplyHead
    start: bytes = b""


def _members(*names: bytes) -> tuple[re.Pattern[bytes], ...]:
    return tuple(re.compile(rb'"' + name + rb'"\s*:') for name in names)


_VERSIONS = _members(b"apiVersions", b"uri")
_CLASSIC = (_members(b"errorCode", b"message"),)
_VOICE = (
    *_CLASSIC,
    _members(b"errorCode", b"generalMessage"),
    _members(b"generalMessage", b"requestUri"),
)
# By the name of the upstream: the members of its errors, any of these sets.
_ERRORS = {
    "ringcx": _VOICE,
    "engage_legacy": _VOICE,
    "engage_digital": (_members(b"error", b"message", b"status"),),
}


def is_signed(answer: Heard, upstream: str) -> bool:
    """Tell whether an answer has a sign of the vendor: a field of its own, or its members."""
    if has_own_field(answer.head):
        return True
    if not is_json(answer.head):
        return False
    if answer.head.status < 400:
        return _has(answer, _VERSIONS)
    return any(_has(answer, members) for members in _ERRORS.get(upstream, _CLASSIC))


def has_own_field(head: ReplyHead) -> bool:
    """Tell whether a head has a field that the vendor alone sets."""
    return any(head.values(name) for name in _FIELDS)


def turns_away(status: int) -> bool:
    """Tell whether a status is one with which middleboxes refuse what they do not let pass."""
    return status in _TURNED_AWAY or status >= 500


def is_json(head: ReplyHead) -> bool:
    """Tell whether a head speaks of JSON."""
    return any(b"json" in kind.lower() for kind in head.values(b"content-type"))


def _has(answer: Heard, members: tuple[re.Pattern[bytes], ...]) -> bool:
    return all(member.search(answer.start) for member in members)

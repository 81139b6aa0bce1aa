"""Heads of replies, made of their fields, or read as those are whose names came often."""

from gateway.core.field_places import OFTEN, Places, places_among, places_of
from gateway.core.framing import Framing
from gateway.core.headers import Fields, values_of
from gateway.core.message import ReplyHead
from gateway.core.reply_head import read_like
from gateway.errors import UpstreamBroken


def reply_head(
    status: int, reason: bytes, version: bytes, fields: Fields, framing: Framing
) -> ReplyHead:
    values = tuple(value for _, value in fields)
    places = places_of(fields)
    return ReplyHead(
        status,
        reason,
        version,
        values,
        framing,
        places,
        b",".join(values_of(fields, b"connection")),
    )


def known(names: list[bytes]) -> Places:
    """Return the places of names that came often enough to have a shape."""
    places = places_among(names)
    for _ in range(OFTEN):
        places.note_reply()
    return places


def reply_like(raw: bytes, fields: Fields) -> ReplyHead | None:
    """Return a head read by the shape of these fields' names; None where that does not take it."""
    places = known([name for name, _ in fields])
    assert places.shape is not None
    match = places.shape.match(raw)
    if match is None:
        return None
    try:
        return read_like(match, places, places.shape, "GET")
    except UpstreamBroken:
        return None


def read_lines(lines: bytes) -> Fields:
    """Return the fields that a reader of their lines sees."""
    *whole, rest = lines.split(b"\r\n")
    assert rest == b""
    pairs = [line.partition(b": ") for line in whole]
    return tuple((name, value) for name, _, value in pairs)

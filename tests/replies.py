"""Heads of replies, made of their fields, or read as those are whose names came often."""

from gateway.core.field_places import OFTEN, Places, places_among, places_of
from gateway.core.framing import Framing
from gateway.core.headers import Fields, values_of
from gateway.core.message import ReplyHead
from gateway.core.reply_head import read_like


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
    """Return the places of names that came often enough to have a shape, if they are usual."""
    places = places_among(names)
    for _ in range(OFTEN):
        places.note_reply()
    return places


def reply_like(raw: bytes, fields: Fields) -> ReplyHead | None:
    """Return a head read by the shape of these fields' names; None where there is none for it."""
    places = known([name for name, _ in fields])
    match = None if places.shape is None else places.shape.match(raw)
    if places.shape is None or match is None:
        return None
    return read_like(match, places, places.shape, "GET")


def read_lines(lines: bytes) -> Fields:
    """Return the fields that a reader of their lines sees."""
    *whole, rest = lines.split(b"\r\n")
    assert rest == b""
    pairs = [line.partition(b": ") for line in whole]
    return tuple((name, value) for name, _, value in pairs)

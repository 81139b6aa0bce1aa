"""Heads of replies, made of their fields."""

from gateway.core.field_places import places_of
from gateway.core.framing import Framing
from gateway.core.headers import Fields
from gateway.core.message import ReplyHead


def reply_head(
    status: int, reason: bytes, version: bytes, fields: Fields, framing: Framing
) -> ReplyHead:
    values = tuple(value for _, value in fields)
    return ReplyHead(status, reason, version, values, framing, places_of(fields))

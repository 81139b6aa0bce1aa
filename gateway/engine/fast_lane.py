"""The fast lane of one listener: its connections, and which bytes are a request for it.

Rule 1: the lane is chosen by the request alone.
Rule 2: a new policy is used from the next request on, and what was known under the old one
        is forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from gateway.core.grammar import PLAIN_BEGUN
from gateway.core.message import Listener
from gateway.engine.gate import Gate
from gateway.engine.known import Known
from gateway.engine.known_heads import MOST_HEAD_BYTES, KnownHeads

# Longer bodies leave as they come.
MOST_BODY_BYTES = 65536
_END = b"\r\n\r\n"


class LaneConnection(Protocol):
    """What the server does with a connection of this lane."""

    def close_if_idle(self) -> None:
        """Close the connection when no request has begun."""

    def hand_over_begun(self) -> None:
        """Leave a request that is not whole to the main lane."""

    def abort(self) -> None:
        """Cut the connection."""


class FastLane:
    """What the connections of one listener share."""

    def __init__(
        self,
        gate: Gate,
        listener: Listener,
        make_main: Callable[[float | None], asyncio.Protocol],
    ) -> None:
        """Know nothing yet; `make_main` makes the protocol of the main lane.

        It takes the time by which a head is to be whole, None when the connection is not admitted.
        """
        self.gate = gate
        self.make_main = make_main
        self.connections: set[LaneConnection] = set()
        self._listener = listener
        self._heads = KnownHeads(gate.outfit.policy, listener)

    def find(self, data: bytes) -> tuple[Known, bytes] | None:
        """Return what is known of the one request that `data` is, and its body.

        That may be a part of it when it is long. None if it is none for this lane, or not whole.
        """
        head, end, body = data.partition(_END)
        if not end or not self.gate.may_begin():
            return None
        known = self.heads().find(head)
        if known is None:
            return None
        if len(body) != known.length and not (len(body) < known.length and self._streams(known)):
            return None
        return known, body

    def find_begun(self, data: bytes) -> Known | None:
        """Return what is known of a head that `data` begins with, some of its body missing."""
        head, end, body = data.partition(_END)
        known = self.heads().find(head) if end and self.gate.may_begin() else None
        if known is None or not len(body) < known.length <= MOST_BODY_BYTES:
            return None
        return known

    def _streams(self, known: Known) -> bool:
        """Tell whether a body leaves as it comes; one that is restored is held for that."""
        if known.length <= MOST_BODY_BYTES:
            return False
        return known.restore is None or known.length > self.gate.outfit.replay_body_bytes

    def may_grow_plain(self, data: bytes) -> bool:
        """Tell whether `data` may be the beginning of a request for this lane."""
        if _END in data:
            return self.find_begun(data) is not None
        is_short = len(data) < MOST_HEAD_BYTES
        return is_short and self.gate.may_begin() and PLAIN_BEGUN.match(data) is not None

    def heads(self) -> KnownHeads:
        """Return what is known of heads, in either lane."""
        if self._heads.policy is not self.gate.outfit.policy:
            self._heads = KnownHeads(self.gate.outfit.policy, self._listener)
        return self._heads

"""Heads that differ from a known one in ids and values alone: written from it, not decided anew.

Rule 1: which heads those are `policy.likeness` knows; their plan is decided when it is asked for.
Rule 2: what is kept holds no secret, as `known_heads` has it, and of the target the path alone;
        nothing is kept of a head that is written from another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.core.framing import Framing
from gateway.core.memo import Memo
from gateway.core.seen import Seen
from gateway.engine.events import Asked
from gateway.engine.known import Known
from gateway.policy.forward import Plan
from gateway.policy.likeness import Likeness


@dataclass(frozen=True, slots=True)
class _Like:
    """A known head but for its target, and what leaves before and behind that."""

    known: Known
    before: bytes
    behind: bytes

    def write(self, target: bytes, framing: Framing, decide: Callable[[], Plan]) -> Known:
        """Return what is known of the head with another target, and a body that is framed so."""
        like = self.known
        return Known(
            None,
            framing.length,
            like.method,
            b"".join((self.before, target, self.behind)),
            framing if framing.has_body else like.framing,
            like.upstream,
            like.scheme,
            like.request_id,
            like.is_last,
            _name(like.asked, target.partition(b"?")[0]),
            like.restore,
            like.replies,
            like.links,
            like.fare,
            like.is_plain,
            decide,
        )


class Alike:
    """The heads that others are written from, by their fields and the mould of their target."""

    __slots__ = ("_likeness", "_memo", "_seen")

    def __init__(self, likeness: Likeness, max_bytes: int) -> None:
        self._likeness = likeness
        self._memo: Memo[bytes, _Like] = Memo(max_bytes=max_bytes)
        self._seen = Seen()

    def __len__(self) -> int:
        return len(self._memo)

    def key(self, fields: bytes, target: bytes) -> bytes | None:
        """Return what heads that are alike have in common, None for one that is like no other.

        `fields` stand for its method, for its steady fields, and for whether there is a body.
        """
        mould = self._likeness.mould(target)
        return None if mould is None else fields + mould

    def find(
        self, key: bytes, target: bytes, framing: Framing, decide: Callable[[], Plan]
    ) -> Known | None:
        """Return what is known of a head, None if no other tells.

        `framing` is that of its body; `decide` is called when the plan is wanted.
        """
        like = self._memo.get(key)
        return None if like is None else like.write(target, framing, decide)

    def keep(self, key: bytes, target: bytes, known: Known) -> None:
        """Have heads be written from this one, if one like it came before and they may be."""
        if not self._seen.comes_again(key):
            return
        if not (known.may_be_kept() and self._likeness.is_typical(known.plan, target)):
            return
        at = len(known.method) + 1
        before, behind = known.start[:at], known.start[at + len(target) :]
        like = _Like(known.without_target(), before, behind)
        self._memo.put(key, like, known.size + len(key))


def _name(like: Asked, path: bytes) -> Asked:
    """Return what stands in the record of a request for another path."""
    return Asked(
        like.wire_method,
        like.method,
        path,
        like.query_names,
        like.version,
        like.user_agent,
        like.trace_id,
        like.caller,
        like.upstream,
        like.operation,
        like.rate_group,
        like.findings,
        like,
    )

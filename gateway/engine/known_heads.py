"""Heads and what was decided about them: once when new, recalled when they come again.

Programs send the same head with many of their requests, and `decide` is a function of the
head alone, but for the deadline. So the plan of a head is kept under a keyed hash of its
bytes, or of what aiohttp has read of them, with what the request log says of it and the
head that leaves.

Rule 1: recalled or decided anew, the outcome is the same.
Rule 2: no credential is kept, nor any head that may hold a secret elsewhere than in the fields
        whose values are dropped; of a head that is kept there is only the hash.
Rule 3: an error is not kept, nor a bug; the other lane finds it anew, and tells of it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeAlias

from gateway.core.framing import LENGTH, Framing, framing_line
from gateway.core.grammar import MAY_BE_SECRET, REQUEST_ID, unescape
from gateway.core.headers import members_of, values_of
from gateway.core.memo import Memo
from gateway.core.message import Listener, RawHead
from gateway.core.plain_head import parse_plain_head
from gateway.core.section import steady_fields
from gateway.engine.events import Asked, Record
from gateway.engine.recording import note_decision, note_head
from gateway.pipeline import AnsweredHere, Policy, decide
from gateway.policy.forward import Plan
from gateway.policy.relink import restorer_for
from gateway.policy.routes import PASSTHROUGH, Scheme

# As much as nginx reads of a head at first; longer ones hold cookies, and belong to pages.
MOST_HEAD_BYTES = 4096
# Several hundred heads, for each listener.
MOST_KEPT_BYTES = 4 << 20
# Hashes of 16 bytes; half a megabyte with what a set takes.
MOST_SEEN = 4096
# A plan and its head take a few kilobytes.
_PLAN_BYTES = 4096
Restore: TypeAlias = Callable[[bytes], bytes] | None


@dataclass(frozen=True, slots=True)
class Known:
    """One head: its plan, whose deadline is not set, and what follows from it.

    `length` is the bytes of body that follow, `method` that of the outbound head, `start` that
    head up to its framing, `framing` and `framing_line` those of a body that leaves as it came,
    `upstream` the name of where it goes, `scheme` its credential's, `request_id` the caller's own
    or empty, `is_last` tells that the connection ends with the answer, `asked` is what stands in
    the record, `restore` is what the body passes through.
    """

    plan: Plan
    length: int
    method: str
    start: bytes
    framing: Framing
    framing_line: bytes
    upstream: str
    scheme: Scheme
    request_id: str
    is_last: bool
    asked: Asked
    restore: Restore


class KnownHeads:
    """The heads that come by one listener, under one policy."""

    __slots__ = ("_hash", "_listener", "_memo", "_seen", "policy")

    def __init__(self, policy: Policy, listener: Listener) -> None:
        self.policy = policy
        self._listener = listener
        self._hash = hashlib.blake2b(digest_size=16, key=secrets.token_bytes(32))
        self._memo: Memo[bytes, Known] = Memo(max_bytes=MOST_KEPT_BYTES)
        self._seen: set[bytes] = set()

    def find(self, head: bytes) -> Known | None:
        """Return what is decided about a head, None if the other lane is to serve it."""
        begun = self._hash.copy()
        begun.update(head)
        digest = begun.digest()
        return self._memo.get(digest) or self._learn(head, digest)

    def decide(
        self, raw: RawHead, record: Record, now: float
    ) -> tuple[Plan | AnsweredHere, Restore]:
        """Return what is decided about a parsed head and what its body passes through.

        The record has it then. Raises what `pipeline.decide` does; `now` is event-loop seconds.
        """
        lines = _lines_of(raw)
        digest = self._digest(lines)
        known = self._memo.get(digest)
        if known is not None:
            record.asked = known.asked
            return known.plan.due(now + self.policy.first_byte_s), known.restore
        note_head(record.asked, raw)
        decision = decide(raw, self.policy, now)
        note_decision(record.asked, decision)
        if isinstance(decision, AnsweredHere):
            return decision, None
        if len(lines) <= MOST_HEAD_BYTES and self._comes_again(digest):
            self._keep(digest, _know(raw, decision, record.asked), raw)
        return decision, restorer_for(decision.request, decision.restored)

    def _digest(self, text: bytes) -> bytes:
        begun = self._hash.copy()
        begun.update(text)
        return begun.digest()

    def _learn(self, head: bytes, digest: bytes) -> Known | None:
        most = min(MOST_HEAD_BYTES, self.policy.rules.max_head_bytes)
        raw = parse_plain_head(head, self._listener) if len(head) <= most else None
        if raw is None:
            return None
        try:
            plan = decide(raw, self.policy, 0.0)
        except Exception:  # noqa: BLE001 (what is refused is told of there, and so is a bug)
            return None
        if isinstance(plan, AnsweredHere) or not _is_plain(plan):
            return None
        note_head(asked := Asked(), raw)
        note_decision(asked, plan)
        known = _know(raw, plan, asked)
        return self._keep(digest, known, raw) if self._comes_again(digest) else known

    def _keep(self, digest: bytes, known: Known | None, raw: RawHead) -> Known | None:
        """Remember what may be kept, and return it."""
        if known is None or not _may_be_kept(known, raw):
            return known
        known = replace(known, plan=_without_credentials(known.plan))
        # Its fields and the target are in the plan, and in the head that leaves.
        self._memo.put(digest, known, 2 * len(known.start) + _PLAN_BYTES)
        return known

    def _comes_again(self, digest: bytes) -> bool:
        """Tell whether a head was seen before; the many that come once are not worth keeping."""
        if digest in self._seen:
            return True
        if len(self._seen) >= MOST_SEEN:
            self._seen.clear()
        self._seen.add(digest)
        return False


def _lines_of(raw: RawHead) -> bytes:
    """Return what no other head has that may be kept.

    Such a one has no line feed within, and its count of fields tells it from any that has; the
    bytes of a whole head have a carriage return.
    """
    count = b"%d" % len(raw.fields)
    return b"\n".join((count, raw.method, raw.target, raw.version, *chain(*raw.fields)))


def _is_plain(plan: Plan) -> bool:
    return plan.request.method not in ("HEAD", "OPTIONS")


def _know(raw: RawHead, plan: Plan, asked: Asked) -> Known | None:
    given = values_of(raw.fields, b"x-request-id")
    if given and (len(given) > 1 or REQUEST_ID.fullmatch(given[0]) is None):
        return None
    return Known(
        plan,
        plan.request.framing.length if plan.request.framing.kind is LENGTH else 0,
        plan.outbound.method.decode(),
        plan.outbound.render()[:-2],
        plan.framing,
        framing_line(plan.framing),
        plan.upstream.name,
        plan.scheme,
        given[0].decode() if given else "",
        b"close" in members_of(raw.fields, b"connection"),
        asked,
        restorer_for(plan.request, plan.restored),
    )


def _may_be_kept(known: Known, raw: RawHead) -> bool:
    plan = known.plan
    if known.request_id or plan.upstream.scheme is PASSTHROUGH:
        return False
    if any(name.lower() == b"traceparent" for name, _ in raw.fields):
        return False
    # What is escaped may be read, and cut, as what it stands for.
    return plan.request.section.is_kept and not MAY_BE_SECRET.search(unescape(raw.target).lower())


def _without_credentials(plan: Plan) -> Plan:
    routed = plan.permitted.routed
    request = replace(routed.request, fields=steady_fields(routed.request.fields))
    return replace(plan, permitted=replace(plan.permitted, routed=replace(routed, request=request)))

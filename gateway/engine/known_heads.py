"""Heads and what was decided about them: once when new, recalled when they come again.

Programs send the same head with many of their requests, and `decide` is a function of the
head alone, but for the deadline. So the plan of a head is kept under its request line and a
secret hash of its fields, with what the request log says of it and the head that leaves; for
each lane by itself, because the fast one takes fewer heads.

Rule 1: recalled or decided anew, the outcome is the same.
Rule 2: no credential is kept, nor any head that may hold a secret elsewhere than in the fields
        whose values are dropped; of the fields of one that is kept there is only the hash.
Rule 3: the fields of a head may be known without it; then its target alone is read anew.
Rule 4: an error is not kept, nor a bug; the other lane finds it anew, and tells of it.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from functools import partial
from typing import cast

from gateway.core.grammar import PLAIN_LINE
from gateway.core.memo import Memo
from gateway.core.message import Listener, RawHead
from gateway.core.plain_head import parse_plain_head
from gateway.engine.alike import Alike
from gateway.engine.events import Asked, Record
from gateway.engine.known import Known, Restore, know
from gateway.engine.known_fields import KnownFields, keep_fields, may_be_kept
from gateway.engine.recording import note_decision, note_head
from gateway.pipeline import AnsweredHere, Policy, decide
from gateway.policy.forward import Plan
from gateway.policy.likeness import Likeness
from gateway.policy.relink import restorer_for

# As much as nginx reads of a head at first; longer ones hold cookies, and belong to pages.
MOST_HEAD_BYTES = 4096
# Several hundred heads, for each listener.
MOST_KEPT_BYTES = 4 << 20
# Python's keyed hashes; half a megabyte with what a set takes.
MOST_SEEN = 4096
# A plan and its head take a few kilobytes.
_PLAN_BYTES = 4096
# Of fields, what a count of their bytes does not show.
_FIELDS_BYTES = 1024
# For a hash of the whole head; no request line is one byte long.
_MAIN = b"m"


class KnownHeads:
    """The heads that come by one listener, under one policy."""

    __slots__ = ("_alike", "_fields", "_hash", "_listener", "_memo", "_seen", "policy")

    def __init__(self, policy: Policy, listener: Listener) -> None:
        self.policy = policy
        self._listener = listener
        # Salted and not keyed, because a key is one more block to hash; nobody knows either.
        salt, person = secrets.token_bytes(16), secrets.token_bytes(16)
        self._hash = hashlib.blake2b(digest_size=16, salt=salt, person=person)
        self._memo: Memo[bytes, Known] = Memo(max_bytes=MOST_KEPT_BYTES)
        self._fields: Memo[bytes, KnownFields] = Memo()
        self._alike = Alike(Likeness(policy.routes, policy.rules.query), MOST_KEPT_BYTES)
        self._seen: set[int] = set()

    def find(self, head: bytes) -> Known | None:
        """Return what is decided about a head, None if the other lane is to serve it.

        The head is all that stands before the empty line, whose end is not looked at.
        """
        line, _, fields = head.partition(b"\r\n")
        place = self._digest(fields)
        key = line + place
        return self._memo.get(key) or self._learn(head, key, place)

    def recall(self, head: bytes) -> Known | None:
        """Return what is known of a head that `decide` has kept, None for any other."""
        return self._memo.get(self._digest(head, _MAIN)) if len(head) <= MOST_HEAD_BYTES else None

    def find_whole(self, data: bytes) -> tuple[bytes, Known, bytes] | None:
        """Return the head of the one plain request that `data` is, what is known, and the body.

        None if `decide` has not kept it, or the request is not whole.
        """
        end = data.find(b"\r\n\r\n") + 4
        known = self.recall(data[:end]) if end >= 4 else None
        if known is None or not known.is_plain or len(data) != end + known.length:
            return None
        return data[:end], known, data[end:]

    def decide(
        self, raw: RawHead, head: bytes, record: Record, now: float
    ) -> tuple[Plan | AnsweredHere, Restore]:
        """Return what is decided about a parsed head, and what its body passes through.

        The record has it then. Raises what `pipeline.decide` does; `now` is event-loop seconds.
        """
        note_head(record.asked, raw)
        decision = decide(raw, self.policy, now)
        note_decision(record.asked, decision)
        if isinstance(decision, AnsweredHere):
            return decision, None
        if len(head) <= MOST_HEAD_BYTES and self._comes_again(digest := self._digest(head, _MAIN)):
            known = know(raw, decision, record.asked)
            if known is not None and not known.is_last and raw.method != b"HEAD":
                is_plain = parse_plain_head(head, self._listener) is not None
                known = replace(known, is_plain=is_plain)
            self._keep(digest, known, raw)
        return decision, restorer_for(decision.request, decision.restored)

    def _digest(self, head: bytes, lane: bytes = b"") -> bytes:
        begun = self._hash.copy()
        begun.update(head)
        return begun.digest() + lane

    def _learn(self, head: bytes, key: bytes, place: bytes) -> Known | None:
        most = min(MOST_HEAD_BYTES, self.policy.rules.max_head_bytes)
        line = PLAIN_LINE.match(head) if len(head) <= most else None
        if line is None:
            return None
        # The same fields say the same with the same method.
        place += line[1]
        fields = self._fields.get(place)
        if fields is not None and len(line[2]) <= self.policy.rules.max_target_bytes:
            known = self._know_target(line[2], fields, place)
            if known is not None:
                if not self._comes_again(key):
                    return known
                return self._keep(key, known, fields.head(line[2], self._listener))
        return self._learn_anew(head + b"\r\n\r\n", key, place)

    def _know_target(self, target: bytes, fields: KnownFields, place: bytes) -> Known | None:
        """Return what follows from a head with known fields, None where they do not suffice."""
        known = self._alike.find(place, target, partial(self._plan, target, fields))
        if known is None:
            raw = fields.head(target, self._listener)
            known = self._know(raw, fields)
            if known is not None and known.may_be_kept(raw):
                self._alike.keep(place, target, known, _size(known))
        return known

    def _plan(self, target: bytes, fields: KnownFields) -> Plan:
        raw = fields.head(target, self._listener)
        return cast("Plan", decide(raw, self.policy, 0.0, fields.said))

    def _learn_anew(self, head: bytes, key: bytes, place: bytes) -> Known | None:
        raw = parse_plain_head(head, self._listener)
        known = self._know(raw) if raw is not None else None
        if raw is None or known is None:
            return None
        is_new = self._fields.get(place) is None and may_be_kept(raw, known)
        if is_new and self._comes_again(place):
            fields = keep_fields(raw, known)
            self._fields.put(place, fields, fields.size + _FIELDS_BYTES)
        return self._keep(key, known, raw) if self._comes_again(key) else known

    def _know(self, raw: RawHead, fields: KnownFields | None = None) -> Known | None:
        """Return what follows from a head, None where the other lane is to serve it.

        Where its `fields` are known, None also where that does not suffice.
        """
        try:
            plan = decide(raw, self.policy, 0.0, fields.said if fields is not None else None)
        except Exception:  # noqa: BLE001 (what is refused is told of there, and so is a bug)
            return None
        if isinstance(plan, AnsweredHere) or not _is_plain(plan):
            return None
        note_head(asked := Asked(), raw)
        note_decision(asked, plan)
        return know(raw, plan, asked) if fields is None else fields.know(plan, asked)

    def _keep(self, digest: bytes, known: Known | None, raw: RawHead) -> Known | None:
        """Remember what may be kept, and return it."""
        if known is None or not known.may_be_kept(raw):
            return known
        known = known.without_credentials()
        self._memo.put(digest, known, _size(known))
        return known

    def _comes_again(self, key: bytes) -> bool:
        """Tell whether a head was seen before; the many that come once are not worth keeping."""
        # Two of one hash are at worst kept one time too early.
        seen = hash(key)
        if seen in self._seen:
            return True
        if len(self._seen) >= MOST_SEEN:
            self._seen.clear()
        self._seen.add(seen)
        return False


def _size(known: Known) -> int:
    # Its fields and the target are in the plan, and in the head that leaves.
    return 2 * len(known.start) + _PLAN_BYTES


def _is_plain(plan: Plan) -> bool:
    return plan.request.method not in ("HEAD", "OPTIONS")

"""Heads and what was decided about them: once when new, recalled when they come again.

Programs send the same head with many of their requests, and `decide` is a function of the
head alone, but for the deadline. So the plan of a head is kept with what the request log says
of it and the head that leaves; for each lane by itself, because the fast one takes fewer heads.

Rule 1: recalled or decided anew, the outcome is the same.
Rule 2: no credential is kept, nor any head that may hold a secret elsewhere than in the fields
        whose values are dropped; of the fields of one that has these there is only a secret hash.
Rule 3: the parts of a head may be known without it (`known_parts.py`).
Rule 4: an error is not kept, nor a bug; the other lane finds it anew, and tells of it.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace

from gateway.core.grammar import PLAIN_LINE
from gateway.core.memo import Memo
from gateway.core.message import Listener, RawHead
from gateway.core.plain_head import parse_plain_head
from gateway.core.seen import Seen
from gateway.core.varying import holds_credential
from gateway.engine.events import Record
from gateway.engine.known import Known, Restore, know
from gateway.engine.known_parts import KnownParts, decide_plain
from gateway.engine.recording import note_decision, note_head
from gateway.pipeline import AnsweredHere, Policy, decide
from gateway.policy.forward import Plan
from gateway.policy.relink import restorer_for

# As much as nginx reads of a head at first; longer ones hold cookies, and belong to pages.
MOST_HEAD_BYTES = 4096
# Several hundred heads, for each listener.
MOST_KEPT_BYTES = 4 << 20
# For a hash of the whole head; no request line is one byte long. A head is that with its empty line
# in the main lane, and without in the other.
_MAIN = b"m"
_HASH_BYTES = 16
_END = b"\r\n\r\n"


class KnownHeads:
    """The heads that come by one listener, under one policy."""

    __slots__ = ("_digest", "_listener", "_memo", "_parts", "_seen", "policy")

    def __init__(self, policy: Policy, listener: Listener) -> None:
        self.policy = policy
        self._listener = listener
        self._digest = _SecretHash()
        self._memo: Memo[bytes, Known] = Memo(max_bytes=MOST_KEPT_BYTES)
        self._parts = KnownParts(policy, listener, self._digest, MOST_KEPT_BYTES)
        self._seen = Seen()

    def find(self, head: bytes) -> Known | None:
        """Return what is decided about a head, None if the other lane is to serve it.

        The head is all that stands before the empty line, whose end is not looked at.
        """
        return self._memo.get(head) or self._find_hashed(head)

    def recall(self, head: bytes) -> Known | None:
        """Return what is known of a head that `decide` has kept, None for any other."""
        if len(head) > MOST_HEAD_BYTES:
            return None
        return self._memo.get(head) or self._memo.get(self._main_key(head))

    def find_whole(self, data: bytes) -> tuple[bytes, Known, bytes] | None:
        """Return the head of the one plain request that `data` is, what is known, and the body.

        None if `decide` has not kept it, or the request is not whole.
        """
        end = data.find(_END) + len(_END)
        known = self.recall(data[:end]) if end >= len(_END) else None
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
        if len(head) <= MOST_HEAD_BYTES and self._seen.comes_again(key := self._main_key(head)):
            known = know(raw, decision, record.asked)
            if known is not None and not known.is_last and raw.method != b"HEAD":
                is_plain = parse_plain_head(head, self._listener) is not None
                known = replace(known, is_plain=is_plain)
            if known is not None:
                self._keep(key, known, head)
        return decision, restorer_for(decision.request, decision.restored)

    def _main_key(self, head: bytes) -> bytes:
        """Return the key of a head of the main lane that holds a credential."""
        return self._digest(head) + _MAIN

    def _find_hashed(self, head: bytes) -> Known | None:
        line, _, fields = head.partition(b"\r\n")
        key = line + self._digest(fields)
        return self._memo.get(key) or self._learn(head, key)

    def _learn(self, head: bytes, key: bytes) -> Known | None:
        rules = self.policy.rules
        most = min(MOST_HEAD_BYTES, rules.max_head_bytes)
        line = PLAIN_LINE.match(head) if len(head) + len(_END) <= most else None
        if line is None or len(line[2]) > rules.max_target_bytes:
            return None
        place, framing = self._parts.part(line[1], head[line.end() - 2 :], key[-_HASH_BYTES:])
        if framing is None or framing.length > rules.max_body_bytes:
            return None
        known = self._parts.find(place, line[2], framing)
        if known is None:
            known = self._read(head + _END, place)
        if known is not None and self._seen.comes_again(key):
            return self._keep(key, known, head)
        return known

    def _read(self, head: bytes, place: bytes) -> Known | None:
        """Return what follows from a head of which too little is known, if it is plain."""
        raw = parse_plain_head(head, self._listener)
        found = None if raw is None else decide_plain(raw, self.policy)
        if raw is None or found is None:
            return None
        known = know(raw, *found)
        if known is not None and known.may_keep_fields() and self._seen.comes_again(place):
            self._parts.keep(place, raw, known)
        return known

    def _keep(self, key: bytes, known: Known, head: bytes) -> Known:
        """Remember what may be kept, and return it; by `key` where the head itself may not be."""
        if not known.may_be_kept():
            return known
        if not holds_credential(head):
            # Hashing it would cost 4 % of the instructions of a short request.
            key = head
        known = known.without_credentials()
        self._memo.put(key, known, known.size + len(key))
        return known


class _SecretHash:
    """A hash that nobody else can make."""

    __slots__ = ("_begin",)

    def __init__(self) -> None:
        # Salted and not keyed, because a key is one more block to hash; nobody knows either.
        salt, person = secrets.token_bytes(16), secrets.token_bytes(16)
        self._begin = hashlib.blake2b(digest_size=_HASH_BYTES, salt=salt, person=person).copy

    def __call__(self, data: bytes) -> bytes:
        begun = self._begin()
        begun.update(data)
        return begun.digest()

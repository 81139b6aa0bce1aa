"""Heads of which the parts came before, each with others: put together, not read.

Programs say the same of themselves with each request, but for a credential and the length of
the body; they name another resource, but of the same kinds. So there is what the steady
fields say (`known_fields.py`), and what was decided of targets alike (`alike.py`).

Rule 1: put together or read anew, the outcome is the same.
Rule 2: no credential is kept, nor any field or target that may hold a secret.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from gateway.core.framing import NO_BODY, Framing
from gateway.core.memo import Memo
from gateway.core.message import Listener, RawHead, Said
from gateway.core.varying import part_lines
from gateway.engine.alike import Alike
from gateway.engine.events import Asked
from gateway.engine.known import Known
from gateway.engine.known_fields import KnownFields, keep_fields
from gateway.engine.recording import note_decision, note_head
from gateway.pipeline import AnsweredHere, Policy, decide
from gateway.policy.forward import Plan
from gateway.policy.likeness import Likeness

# Of fields, what a count of their bytes does not show.
_FIELDS_BYTES = 1024


class KnownParts:
    """What is known of the parts of the plain heads that come by one listener."""

    __slots__ = ("_alike", "_digest", "_fields", "_listener", "_parted", "_policy")

    def __init__(
        self,
        policy: Policy,
        listener: Listener,
        digest: Callable[[bytes], bytes],
        max_bytes: int,
    ) -> None:
        """Know nothing yet; `digest` is a secret hash, `max_bytes` bounds what targets cost."""
        self._policy = policy
        self._listener = listener
        self._digest = digest
        # By the hash of all fields, and the method.
        self._parted: Memo[bytes, tuple[bytes, Framing | None]] = Memo()
        # By the hash of the steady ones, the method, and whether there is a body: a place.
        self._fields: Memo[bytes, KnownFields] = Memo()
        self._alike = Alike(Likeness(policy.routes, policy.rules.query), max_bytes)

    def part(self, method: bytes, lines: bytes, hashed: bytes) -> tuple[bytes, Framing | None]:
        """Return the place of a head, and how its body ends; None when the head is not plain.

        `lines` are those of its fields, each with its CRLF before it, `hashed` is their hash.
        """
        parted = self._parted.get(hashed + method)
        if parted is None:
            steady, framing = part_lines(lines)
            parted = self._digest(steady) + method + _sort_of(framing), framing
            self._parted.put(hashed + method, parted, len(hashed) + len(parted[0]))
        return parted

    def find(self, place: bytes, target: bytes, framing: Framing) -> Known | None:
        """Return what follows from a head, None where its parts do not suffice."""
        fields = self._fields.get(place)
        if fields is None:
            return None
        key = self._alike.key(place, target)
        if key is None:
            return self._read(fields, target, framing)
        make = partial(self._decide, fields, target, framing)
        known = self._alike.find(key, target, framing, make)
        if known is None:
            known = self._read(fields, target, framing)
            if known is not None:
                self._alike.keep(key, target, known)
        return known

    def keep(self, place: bytes, raw: RawHead, known: Known) -> None:
        """Remember the fields of a head that was read."""
        fields = keep_fields(raw, known)
        self._fields.put(place, fields, fields.size + _FIELDS_BYTES)

    def _read(self, fields: KnownFields, target: bytes, framing: Framing) -> Known | None:
        raw = fields.head(target, self._listener)
        found = decide_plain(raw, self._policy, (framing, fields.section))
        return None if found is None else fields.know(*found)

    def _decide(self, fields: KnownFields, target: bytes, framing: Framing) -> Plan:
        raw = fields.head(target, self._listener)
        return cast("Plan", decide(raw, self._policy, 0.0, (framing, fields.section)))


def decide_plain(
    raw: RawHead, policy: Policy, said: Said | None = None
) -> tuple[Plan, Asked] | None:
    """Return what is decided about a plain head, None where the other lane is to serve it.

    `said` is what its fields are known to say.
    """
    try:
        plan = decide(raw, policy, 0.0, said)
    except Exception:  # noqa: BLE001 (what is refused is told of there, and so is a bug)
        return None
    if isinstance(plan, AnsweredHere) or plan.request.method in ("HEAD", "OPTIONS"):
        return None
    note_head(asked := Asked(), raw)
    note_decision(asked, plan)
    return plan, asked


def _sort_of(framing: Framing | None) -> bytes:
    if framing is None or framing is NO_BODY:
        return b"-"
    return b"+" if framing.length else b"0"

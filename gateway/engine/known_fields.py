"""The fields of a head that came before, in one that differs in its target.

Programs name another resource with each request and say the same of themselves. Then the
target alone is read anew, and all that is decided is decided anew.

Rule 1: the target is read and judged by those who read that of an unknown head.
Rule 2: no credential is kept, nor any field that may hold a secret; see `known_heads.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.core.field_places import Places, places_of
from gateway.core.framing import LENGTH
from gateway.core.headers import Fields
from gateway.core.message import Listener, RawHead, new_raw_head
from gateway.core.section import Section
from gateway.core.varying import steady_fields
from gateway.engine.events import Asked
from gateway.engine.known import Known, Restore
from gateway.policy.forward import Plan
from gateway.policy.rate_groups import Fare
from gateway.policy.reply import ReplyHeads
from gateway.policy.routes import PASSTHROUGH


@dataclass(frozen=True, slots=True)
class KnownFields:
    """The steady fields of plain heads with one method; what all of them say.

    `restore` and `is_last` are those of `Known`, which these fields settle where it is known
    whether there is a body.
    """

    method: bytes
    fields: Fields = field(repr=False)
    places: Places = field(repr=False)
    section: Section
    restore: Restore
    is_last: bool
    _replies: dict[tuple[str, bool], ReplyHeads] = field(default_factory=dict, repr=False)

    def head(self, target: bytes, listener: Listener) -> RawHead:
        """Return a head with these fields; it lacks the credentials that it came with."""
        return new_raw_head(self.method, target, b"HTTP/1.1", self.fields, listener, self.places)

    @property
    def size(self) -> int:
        """Return the bytes of the fields, which others refer to."""
        return self.section.size

    def know(self, plan: Plan, asked: Asked) -> Known | None:
        """Return what `known.know` does; None where the fields that are not kept are needed."""
        if plan.upstream.scheme is PASSTHROUGH:
            return None
        framing, outbound = plan.request.framing, plan.outbound
        return Known(
            plan,
            framing.length if framing.kind is LENGTH else 0,
            outbound.method.decode(),
            outbound.render()[:-2],
            plan.framing,
            plan.upstream.name,
            plan.scheme,
            "",
            self.is_last,
            asked,
            self.restore,
            self._replies_to(plan),
            plan.links,
            Fare(plan.permitted),
        )

    def _replies_to(self, plan: Plan) -> ReplyHeads:
        # All that they depend on beside is said by the fields.
        key = plan.request.method, plan.upstream.scheme.owned
        replies = self._replies.get(key)
        if replies is None:
            replies = self._replies[key] = ReplyHeads(plan)
        return replies


def keep_fields(raw: RawHead, known: Known) -> KnownFields:
    """Return what is kept of the fields of a plain head."""
    fields, section = steady_fields(raw.fields), known.plan.request.section
    return KnownFields(raw.method, fields, places_of(fields), section, known.restore, known.is_last)

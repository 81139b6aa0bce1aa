"""What follows from a head and its plan, so that a request with the same head is only sent.

Rule 1: it holds no credential of a caller's once it is made to be kept.
Rule 2: a head with something of its own in each request is not to be kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias, cast

from gateway.core.framing import LENGTH, Framing
from gateway.core.grammar import MAY_BE_SECRET, REQUEST_ID, unescape
from gateway.core.headers import split_list, values_of
from gateway.core.links import Links
from gateway.core.message import RawHead, Request
from gateway.core.varying import steady_fields
from gateway.engine.events import Asked
from gateway.policy.forward import Plan
from gateway.policy.permits import Permitted
from gateway.policy.rate_groups import Fare
from gateway.policy.relink import restorer_for
from gateway.policy.reply import ReplyHeads
from gateway.policy.routes import PASSTHROUGH, Scheme

# A plan and its head take a few kilobytes.
_PLAN_BYTES = 4096

Restore: TypeAlias = Callable[[bytes], bytes] | None


@dataclass(slots=True)
class Known:
    """One head: its plan, whose deadline is not set, and what follows from it; changed by nobody.

    Not frozen, because making a frozen one of so many fields takes four times as long.

    `length` is the bytes of body that follow, `method` that of the outbound head, `start` that
    head up to its framing, `framing` that of a body that leaves as it came, `upstream` the name
    of where it goes, `scheme` its credential's, `request_id` the caller's own or empty, `is_last`
    tells that the connection ends with the answer, `asked` is what stands in the record,
    `restore` is what the body passes through, `replies` renders the heads of answers. `is_plain`
    tells that the head is `plain_head`'s and nothing ends with its answer, so that who recalls it
    need not parse it. `links` are the plan's, `fare` is what its requests are charged to.
    `decide` makes the plan of a head that was written from another one (see `alike.py`).
    """

    _plan: Plan | None
    length: int
    method: str
    start: bytes
    framing: Framing
    upstream: str
    scheme: Scheme
    request_id: str
    is_last: bool
    asked: Asked
    restore: Restore
    replies: ReplyHeads = field(repr=False, compare=False)
    links: Links | None
    fare: Fare = field(repr=False, compare=False)
    is_plain: bool = False
    decide: Callable[[], Plan] | None = field(default=None, repr=False, compare=False)

    @property
    def plan(self) -> Plan:
        """Return the plan, decided now if it was not yet."""
        if self._plan is None and self.decide is not None:
            self._plan = self.decide()
        return cast("Plan", self._plan)

    @property
    def request(self) -> Request:
        """Return the plan's request."""
        return self.plan.request

    def may_keep_fields(self) -> bool:
        """Tell whether the fields of a head may be remembered: no secret, and may come again."""
        request = self.plan.request
        if self.request_id or self.plan.upstream.scheme is PASSTHROUGH:
            return False
        return request.section.is_kept and not values_of(request.fields, b"traceparent")

    def may_be_kept(self) -> bool:
        """Tell whether a head may be remembered: its fields may, and its target holds no secret."""
        # What is escaped may be read, and cut, as what it stands for.
        target = unescape(self.plan.request.target.render()).lower()
        return self.may_keep_fields() and not MAY_BE_SECRET.search(target)

    @property
    def size(self) -> int:
        """Return about how many bytes it takes to keep it."""
        # Its fields and the target are in the plan, and in the head that leaves.
        return 2 * len(self.start) + _PLAN_BYTES

    def without_target(self) -> Known:
        """Return what holds of heads that are written from this one: no plan, and no query."""
        request = self.plan.request
        target = replace(request.target, query=None)
        permitted = _about(self.plan.permitted, replace(request, target=target, query=None))
        return replace(self, _plan=None, start=b"", fare=Fare(permitted))

    def without_credentials(self) -> Known:
        """Return the same without the fields whose values are dropped."""
        request = self.plan.request
        request = replace(request, fields=steady_fields(request.fields))
        permitted = _about(self.plan.permitted, request)
        plan = replace(self.plan, permitted=permitted)
        return replace(self, _plan=plan, fare=Fare(permitted), decide=None)


def know(raw: RawHead, plan: Plan, asked: Asked) -> Known | None:
    """Return what follows from a head; None when its request id is not to be believed."""
    given = raw.values(b"x-request-id")
    if given and (len(given) > 1 or REQUEST_ID.fullmatch(given[0]) is None):
        return None
    return Known(
        plan,
        plan.request.framing.length if plan.request.framing.kind is LENGTH else 0,
        plan.outbound.method.decode(),
        plan.outbound.render()[:-2],
        plan.framing,
        plan.upstream.name,
        plan.scheme,
        given[0].decode() if given else "",
        b"close" in split_list(b",".join(raw.values(b"connection"))),
        asked,
        restorer_for(plan.request, plan.restored),
        ReplyHeads(plan),
        plan.links,
        Fare(plan.permitted),
    )


def _about(permitted: Permitted, request: Request) -> Permitted:
    """Return what was permitted, said of a request that differs in what nobody judges anew."""
    return replace(permitted, routed=replace(permitted.routed, request=request))

"""The outbound head: what is dropped, what is set, what passes.

Everything a caller sends passes in its order with its bytes, but for what ends at this
hop, what is ours to say, and what could speak for somebody: credentials, forwarded
addresses and rewritten paths. Nothing is invented.

Rule 1: the caller's credentials are dropped before ours are added, unless they pass through.
Rule 2: a name that an upstream might fold into one of ours (`_` for `-`) is dropped too.
Rule 3: the wire verb is the effective method, unless the upstream's `tunnel` disguises it.
Rule 4: the plan holds no secret in clear and no framing: the shell adds both when it sends.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from gateway.core.codings import narrow_codings
from gateway.core.entity_tags import strengthen
from gateway.core.framing import EMPTY, NOTHING, Framing
from gateway.core.frozen import quick
from gateway.core.grammar import UNDERSCORE
from gateway.core.links import Links
from gateway.core.memo import Memo
from gateway.core.message import (
    IDEMPOTENT,
    OutboundField,
    OutboundHead,
    Request,
    new_outbound_head,
    render_fields,
)
from gateway.core.override import disguise
from gateway.core.query import cut_pairs
from gateway.core.secret import Secret
from gateway.core.section import Section
from gateway.policy.links import LinkRules
from gateway.policy.permits import Permitted
from gateway.policy.rate_windows import find_family
from gateway.policy.routes import PASSTHROUGH, Scheme, Upstream

ACCESS_TOKEN = b"access_token"

# Fields, and their lines where they are known to hold no secret.
_Composed: TypeAlias = tuple[tuple[OutboundField, ...], bytes]


class Fate(Enum):
    """Why a field of the caller's does not pass."""

    SET = "set by the gateway"
    USER_AGENT = "the gateway has one User-Agent for all"
    HOP = "ends at this hop (RFC 9110 section 7.6.1)"
    FRAMING = "framing is made anew"
    OVERRIDE = "method override, resolved here"
    CREDENTIAL = "the caller's credential"
    FORWARDED = "speaks for somebody else"
    EXPECT = "answered by the gateway"
    LOOKALIKE = "could be read as a field that the gateway sets, removes or frames by"


_FATES = {
    b"host": Fate.SET,
    b"user-agent": Fate.SET,
    b"x-user-agent": Fate.SET,
    b"rc-user-agent": Fate.USER_AGENT,
    b"sdk-user-agent": Fate.USER_AGENT,
    b"content-length": Fate.FRAMING,
    b"transfer-encoding": Fate.FRAMING,
    b"x-http-method-override": Fate.OVERRIDE,
    b"x-http-method": Fate.OVERRIDE,
    b"x-method-override": Fate.OVERRIDE,
    b"authorization": Fate.CREDENTIAL,
    b"x-auth-token": Fate.CREDENTIAL,
    b"cookie": Fate.CREDENTIAL,
    b"x-real-ip": Fate.FORWARDED,
    b"x-original-url": Fate.FORWARDED,
    b"x-rewrite-url": Fate.FORWARDED,
    b"forwarded": Fate.FORWARDED,
    b"expect": Fate.EXPECT,
}
_FORWARDED_FAMILY = b"x-forwarded-"
_PROXY_FAMILY = b"proxy-"
_FAMILIES = (_FORWARDED_FAMILY, _PROXY_FAMILY)


@dataclass(frozen=True, slots=True)
class ForwardRules:
    """What the gateway says on every request: the canonical User-Agent and its `Via`.

    `links` is None where links are not rewritten.
    """

    user_agent: bytes
    via: bytes = b"1.1 rc-gateway"
    links: LinkRules | None = None
    composed: Memo[tuple[Section, str, bool], _Composed] = field(
        default_factory=Memo, repr=False, compare=False
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the shell needs to carry a request out; printable, loggable, comparable.

    `deadline` is monotonic seconds: the response head must have come by then. `links` are
    what the answer's links become, `restored` what the body's; None to leave them.
    """

    permitted: Permitted
    outbound: OutboundHead
    deadline: float
    links: Links | None = None
    restored: Links | None = None

    def due(self, deadline: float) -> Plan:
        """Return the same for a head that came at another time."""
        return Plan(self.permitted, self.outbound, deadline, self.links, self.restored)

    @property
    def request(self) -> Request:
        """Return the request that is forwarded."""
        return self.permitted.routed.request

    @property
    def upstream(self) -> Upstream:
        """Return where it goes."""
        return self.permitted.routed.upstream

    @property
    def scheme(self) -> Scheme:
        """Return how the credential is presented."""
        return self.permitted.routed.scheme

    @property
    def rate_group(self) -> str | None:
        """Return the rate group that is charged before any answer, None for an unknown path."""
        routed = self.permitted.routed
        found = find_family(routed.upstream.name, routed.reading)
        if found is not None:
            family, scope = found
            return family.group_in(scope)
        return routed.operation.group if routed.operation else None

    @property
    def wants_body(self) -> bool:
        """Tell whether the body of a reply is the caller's; that to a HEAD is nobody's."""
        return self.request.method != "HEAD"

    @property
    def framing(self) -> Framing:
        """Return how the body leaves.

        RFC 9110 section 8.6: a POST says that it has no content, also one in disguise.
        """
        declared = self.request.framing
        is_disguised = self.outbound.method == b"POST" and self.request.method != "POST"
        return EMPTY if is_disguised and declared.kind is NOTHING else declared

    @property
    def idempotent(self) -> bool:
        """Tell whether sending it twice has the effect of sending it once."""
        return self.request.method in IDEMPOTENT


_new_plan = quick(Plan)


def plan(permitted: Permitted, rules: ForwardRules, deadline: float) -> Plan:
    """Compose the outbound head of a permitted request."""
    routed = permitted.routed
    request, scheme = routed.request, routed.upstream.scheme
    query = request.query
    if query is not None and scheme is not PASSTHROUGH:
        for name in (ACCESS_TOKEN, *routed.upstream.cut_parameters):
            query = cut_pairs(query, name)
    sent = disguise(request.method.encode(), query, routed.upstream.tunnel)
    links, restored = rules.links.of(request) if rules.links else (None, None)
    fields, lines = _fields(request, routed.upstream, rules, relinks=links is not None)
    if sent.fields:
        fields, lines = fields + sent.fields, b""
    head = new_outbound_head(sent.method, routed.path, sent.query, fields, lines)
    restored = restored if request.framing.has_body else None
    return _new_plan(permitted, head, deadline, links, restored)


def _fields(
    request: Request, upstream: Upstream, rules: ForwardRules, *, relinks: bool
) -> _Composed:
    """Return the outbound fields, remembered for a section that may come again, and their lines.

    What is not steady in a section passes only with the scheme `passthrough`, and what passes
    unchanged only with a method other than OPTIONS.
    """
    section = request.section
    if not section.is_kept or upstream.scheme is PASSTHROUGH or request.method == "OPTIONS":
        return _compose(request, upstream, rules, relinks=relinks), b""
    key = (section, upstream.name, relinks)
    composed = rules.composed.get(key)
    if composed is None:
        fields = _compose(request, upstream, rules, relinks=relinks)
        composed = fields, render_fields(fields)
        rules.composed.put(key, composed, 2 * section.size)
    return composed


def _compose(
    request: Request, upstream: Upstream, rules: ForwardRules, *, relinks: bool
) -> tuple[OutboundField, ...]:
    return (
        (b"Host", upstream.origin.authority),
        *_passing(request, upstream.scheme, relinks=relinks),
        (b"User-Agent", rules.user_agent),
        (b"X-User-Agent", rules.user_agent),
        (b"Via", rules.via),
    )


def fate_of(name: bytes, ending: frozenset[bytes], scheme: Scheme) -> Fate | None:
    """Return why a field named `name` (lower case) is dropped, or None when it passes.

    `ending` are the names that end at this hop (`headers.hop_by_hop`).
    """
    fate = _FATES.get(name)
    if fate is Fate.CREDENTIAL and scheme is PASSTHROUGH:
        fate = None
    if fate is not None:
        return fate
    if name in ending or name.startswith(_PROXY_FAMILY):
        return Fate.HOP
    if name.startswith(_FORWARDED_FAMILY):
        return Fate.FORWARDED
    return Fate.LOOKALIKE if UNDERSCORE in name and _is_lookalike(name, ending) else None


def _is_lookalike(name: bytes, ending: frozenset[bytes]) -> bool:
    folded = name.replace(b"_", b"-")
    return folded in _FATES or folded in ending or folded.startswith(_FAMILIES)


def _passing(request: Request, scheme: Scheme, *, relinks: bool) -> list[OutboundField]:
    ending = request.section.ending
    passing: list[OutboundField] = []
    for name, value in request.fields:
        folded = name.lower()
        if fate_of(folded, ending, scheme) is not None:
            continue
        if folded in _FATES:
            # Only a credential that passes through is at once in the table and here.
            passing.append((name, Secret(value)))
        elif folded == b"max-forwards" and request.method == "OPTIONS":
            # RFC 9110 section 7.6.2: an intermediary sends it on, decremented.
            passing.append((name, b"%d" % (int(value) - 1)))
        elif folded == b"accept-encoding" and relinks:
            passing.append((name, narrow_codings(value)))
        elif folded == b"if-match" and relinks:
            # The tag of an answer that was rewritten.
            passing.append((name, strengthen(value)))
        else:
            passing.append((name, value))
    return passing

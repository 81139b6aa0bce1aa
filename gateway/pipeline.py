"""The life of a request: from a received head to a plan, in one readable function.

Stages are fixed here, in code, because their order is a security property; what varies
per upstream or caller is data in `Policy`. Every stage takes the type that the stage
before it made.

Rule: nothing is awaited, read from a clock, logged or counted; the shell does that,
from the plan or from the error.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.grammar import MAX_FORWARDS
from gateway.core.headers import values_of
from gateway.core.message import ASTERISK, RawHead, Request, Rules, Said, normalize
from gateway.errors import BadRequest, MethodNotAllowed
from gateway.policy.callers import Callers, identify
from gateway.policy.forward import ForwardRules, Plan, plan
from gateway.policy.permits import permit
from gateway.policy.routes import Routes


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that decides, compiled from one configuration; `first_byte_s` is seconds."""

    rules: Rules
    callers: Callers
    routes: Routes
    forward: ForwardRules
    first_byte_s: float = 60.0


@dataclass(frozen=True, slots=True)
class AnsweredHere:
    """A request whose last recipient is this gateway: 204 with `Allow`."""

    request: Request
    allow: str = MethodNotAllowed.allow


def decide(
    raw: RawHead, policy: Policy, now: float, said: Said | None = None
) -> Plan | AnsweredHere:
    """Turn a received head into a plan, or raise a leaf of `Refused`. Never awaits.

    `now` is monotonic seconds at the arrival of the head; for `said` see `normalize`.
    """
    request = normalize(raw, policy.rules, said)
    caller = identify(request, policy.callers)
    if _ends_here(request):
        policy.routes.candidates(request)  # a URL of somebody else's is refused all the same
        return AnsweredHere(request)
    routed = policy.routes.match(request)
    permitted = permit(caller, routed)
    return plan(permitted, policy.forward, now + policy.first_byte_s)


def _ends_here(request: Request) -> bool:
    """Tell whether Max-Forwards names this hop (RFC 9110 section 7.6.2)."""
    if request.method != "OPTIONS":
        return False
    if request.target.path == ASTERISK:
        return True
    hops = values_of(request.fields, b"max-forwards")
    if len(hops) > 1 or any(MAX_FORWARDS.fullmatch(hop) is None for hop in hops):
        raise BadRequest("Max-Forwards is not one number")
    return bool(hops) and int(hops[0]) == 0

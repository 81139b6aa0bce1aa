"""The rules that fired on a request's way to its plan, stage by stage.

Each stage is asked again, alone and in the pipeline's order, by the functions that the
pipeline itself calls. What they say is told; a stage that had nothing to do is silent.

Rule 1: nothing here decides: a rule that fires only here would be a lie.
Rule 2: a step is printable text without a secret, one line long.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.core.framing import Ambiguous, Kind, frame_request
from gateway.core.headers import find_flaw
from gateway.core.message import FORWARDED, RawHead, normalize, read_target
from gateway.core.override import HEADER, PARAMETER, read_override, resolve
from gateway.core.query import Mode, check_query
from gateway.errors import Refused
from gateway.pipeline import Policy
from gateway.policy.callers import identify
from gateway.policy.permits import permit
from gateway.policy.rate_windows import find_family
from gateway.policy.routes import Routed

CHANNELS = {"header": HEADER.decode(), "query": PARAMETER.decode()}
_DONE = {Mode.REPORT: "reported", Mode.REPAIR: "repaired"}


@dataclass(frozen=True, slots=True)
class Step:
    """One rule that fired; `about` is what it acted on, empty for the request as a whole."""

    stage: str
    text: str
    about: str = ""


Describe = Callable[[RawHead, Policy], list[Step]]


def walk(raw: RawHead, policy: Policy, *, is_answered_here: bool) -> list[Step]:
    """Return the steps of a request that passes; what is answered here is not routed."""
    stages = _STAGES[:_ROUTING] if is_answered_here else _STAGES
    return [step for _, describe in stages for step in describe(raw, policy)]


def walk_to(raw: RawHead, policy: Policy, refusal: Refused) -> tuple[list[Step], str]:
    """Return the steps before a refusal, and the name of the stage that refused."""
    # The line and the fields come first, and no stage can be asked about what is not one.
    if raw.method not in FORWARDED or find_flaw(raw.fields) is not None:
        return [], "head"
    steps: list[Step] = []
    for name, describe in _STAGES:
        try:
            steps += describe(raw, policy)
        except (Refused, Ambiguous) as error:
            # Another reason came before this one, of those that no stage gives: size or Host.
            return (steps, name) if str(error) == refusal.message else ([], "head")
    before = [step for step in steps if step.stage not in ("route", "operation", "permit", "links")]
    return before, "hop"


def _describe_framing(raw: RawHead, _policy: Policy) -> list[Step]:
    framing = frame_request(raw.fields, raw.version)
    bodies = {Kind.LENGTH: f"a body of {framing.length} bytes", Kind.CHUNKED: "a chunked body"}
    return [Step("framing", bodies.get(framing.kind, "no body"))]


def _describe_target(raw: RawHead, _policy: Policy) -> list[Step]:
    authority = read_target(raw).authority
    if authority is None:
        return []
    return [Step("target", f"a URL, whose {authority.host.decode()} stands for Host")]


def _describe_query(raw: RawHead, policy: Policy) -> list[Step]:
    query, rules = read_target(raw).query, policy.rules.query
    if not query:
        return []
    _, findings = check_query(query, rules)
    if not findings:
        return [Step("query", f"nothing to say (profile {rules.profile}, mode {rules.mode})")]
    modes = {"profile": rules.mode, "plus": rules.plus}
    return [Step("query", f"{_DONE[modes[finding.rule]]}: {finding}") for finding in findings]


def _describe_override(raw: RawHead, policy: Policy) -> list[Step]:
    query = read_target(raw).query
    if query:
        query, _ = check_query(query, policy.rules.query)
    resolved = resolve(raw.method, query, read_override(raw.fields), policy.rules.tunnel_accept)
    channels = " and ".join(CHANNELS[channel] for channel in resolved.channels)
    if resolved.method != raw.method:
        became = f"{raw.method.decode()} becomes {resolved.method.decode()}"
        return [Step("override", became, channels)]
    if channels:
        return [Step("override", "names the method that is there; removed", channels)]
    if resolved.query != query:
        return [Step("override", "empty, so it counts as absent; removed", PARAMETER.decode())]
    return []


def _describe_expect(raw: RawHead, policy: Policy) -> list[Step]:
    if not normalize(raw, policy.rules).expects_continue:
        return []
    return [Step("expect", "100-continue is answered by the gateway, after these rules")]


def _describe_caller(raw: RawHead, policy: Policy) -> list[Step]:
    return [Step("caller", identify(normalize(raw, policy.rules), policy.callers).name)]


def _describe_route(raw: RawHead, policy: Policy) -> list[Step]:
    routed = policy.routes.match(normalize(raw, policy.rules))
    return [
        Step("route", _why(routed), routed.upstream.name),
        Step("operation", _describe_operation(routed)),
    ]


def _describe_operation(routed: Routed) -> str:
    operation = routed.operation
    if operation is not None:
        return f"{operation.method} {operation.template}"
    found = find_family(routed.upstream.name, routed.reading)
    if found is None:
        return "not in the catalogue, so no rate group is known"
    limits = " and ".join(f"{window.limit} in {window.window_s:g} s" for window in found[0].windows)
    return f"not in the catalogue; its path is of those of which {limits} are allowed"


def _why(routed: Routed) -> str:
    """Return why a request goes to its upstream."""
    came, sent = routed.request.target.path or b"/", routed.path
    if came != sent:
        return f"the path begins with {came[: -len(sent)].decode()}, which is removed"
    owned = [p for p in routed.upstream.prefixes if sent == p or sent.startswith(p + b"/")]
    if owned:
        return f"it owns {max(owned, key=len).decode()}"
    if routed.operation is not None and routed.operation.media:
        return "the operation is a media operation"
    return "the URL names it"


def _describe_permit(raw: RawHead, policy: Policy) -> list[Step]:
    request = normalize(raw, policy.rules)
    permitted = permit(identify(request, policy.callers), policy.routes.match(request))
    if permitted.routed.upstream.scheme.owned:
        return [Step("permit", "the path is not reserved for the gateway")]
    return [Step("permit", "nothing is reserved: the credential is not the gateway's")]


def _describe_links(raw: RawHead, policy: Policy) -> list[Step]:
    rules = policy.forward.links
    if rules is None:
        return []
    request = normalize(raw, policy.rules)
    origin = rules.origin_for(request)
    if origin is None and rules.is_proxied(request):
        return [Step("links", "those of upstreams become http:// in the answer, for their proxy")]
    if origin is None:
        return [
            Step(
                "links", "stay: the request gives no name of ours, and links.public_origin is empty"
            )
        ]
    return [Step("links", f"those of upstreams become {origin} in the answer")]


_STAGES: tuple[tuple[str, Describe], ...] = (
    ("framing", _describe_framing),
    ("target", _describe_target),
    ("query", _describe_query),
    ("override", _describe_override),
    ("head", _describe_expect),
    ("caller", _describe_caller),
    ("route", _describe_route),
    ("permit", _describe_permit),
    ("links", _describe_links),
)
# Where in `_STAGES` routing begins.
_ROUTING = 6

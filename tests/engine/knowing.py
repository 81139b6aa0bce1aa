"""What tests of known heads share: heads, what follows from them, and how it is compared."""

from collections.abc import Iterable
from dataclasses import replace

from hypothesis import strategies as st

from gateway.core.framing import Framing, Kind
from gateway.core.override import Tunnel
from gateway.engine.known import Known
from gateway.engine.known_heads import KnownHeads
from gateway.policy.links import LinkRules
from gateway.policy.routes import Scheme, Upstream
from tests.policy.world import EVERYTHING, HERE, policy_of
from tests.replies import reply_head

PATH = b"/restapi/v1.0/account/~"
JSON = [b"Content-Type: application/json", b"Content-Length: 3"]
REPLY = reply_head(
    200, b"OK", b"HTTP/1.1", ((b"Access-Control-Allow-Origin", b"*"),), Framing(Kind.CHUNKED)
)
REFUSAL = reply_head(
    401, b"No", b"HTTP/1.1", ((b"WWW-Authenticate", b"Basic"),), Framing(Kind.CHUNKED)
)

methods = st.sampled_from([b"GET", b"POST", b"PATCH", b"DELETE", b"HEAD", b"OPTIONS", b"TRACE"])
targets = st.one_of(
    st.sampled_from(
        [
            *(PATH, PATH + b"/x", PATH + b"/call-log?a=1&a=2", PATH + b"?", PATH + b"/"),
            *(PATH + b"?_method=DELETE", PATH + b"?_method=PUT&x=%20", PATH + b"?_method=GET"),
            *(b"/api/v1/admin/x", b"/media" + PATH + b"/message-store/1/content/2", b"/nowhere"),
            *(b"/restapi//x", b"/restapi/../x", b"/restapi/%zz", b"/restapi/%2e%2e", b"/a#b"),
            *(b"/restapi/oauth/token", PATH + b"?access_token=s3cr3t", PATH + b"?a=[1]", b"/"),
            *(b"/voice/api/v1/admin/accounts/1", b"//evil.example/restapi", PATH + b";v=1"),
        ]
    ),
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=20).map(
        lambda text: b"/restapi/" + text.encode()
    ),
)
fields = st.lists(
    st.sampled_from(
        [
            *(b"X-HTTP-Method-Override: PATCH", b"X-HTTP-Method-Override: GET", b"Accept: a, b"),
            *(b"User-Agent: x/1", b"Content-Type: application/json", b"Content-Length: 3"),
            *(b"Authorization: Bearer s3cr3t", b"Cookie: s3cr3t", b"X-My-Session: s3cr3t"),
            *(b"X-Request-Id: r-1", b"Connection: close", b"Origin: http://localhost:8080"),
            *(b"traceparent: 00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01", b"If-Match: W/1"),
            *(b"Sec-Fetch-Site: cross-site", b"X-Forwarded-Proto: https", b"Max-Forwards: 0"),
        ]
    ),
    max_size=5,
    unique=True,
)


def head_of(method: bytes, target: bytes, *listed: bytes) -> bytes:
    return b"\r\n".join([method + b" " + target + b" HTTP/1.1", b"Host: localhost:8080", *listed])


# The platform's credential is ours, and the others' is nobody's.
MIXED = tuple(
    one if one.name == "platform" else replace(one, scheme=Scheme.NONE) for one in EVERYTHING
)


def heads_of(
    scheme: Scheme | None = None,
    *,
    relinks: bool = False,
    upstreams: Iterable[Upstream] = EVERYTHING,
    tunnel: Tunnel = "off",
) -> KnownHeads:
    policy = policy_of(upstreams, scheme=scheme, tunnel=tunnel)
    if relinks:
        links = LinkRules({one.name: one for one in EVERYTHING}, policy.callers)
        policy = replace(policy, forward=replace(policy.forward, links=links))
    return KnownHeads(policy, HERE)


def outcome(known: Known | None) -> tuple[object, ...] | None:
    """Return all that follows from a head but its fields, of which the credentials may be gone."""
    if known is None:
        return None
    plan, request = known.plan, known.plan.request
    routed = plan.permitted.routed
    decided = (plan.outbound, plan.deadline, plan.framing, plan.rate_group, plan.permitted.caller)
    asked = (request.method, request.query, request.target, request.findings, request.override)
    place = (routed.upstream, routed.path, routed.reading, routed.operation)
    links = [None if one is None else one.written for one in (plan.links, plan.restored)]
    sent = (known.length, known.method, known.start, known.framing, known.upstream, known.scheme)
    rest = (known.request_id, known.is_last, known.asked, known.restore is None, known.is_plain)
    said = [known.replies.render(reply, "r", close=False) for reply in (REPLY, REFUSAL)]
    return (*decided, *asked, *place, *links, *sent, *rest, *said)

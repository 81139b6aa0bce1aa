"""What the tests of policy share: the contract's default upstreams, heads and vectors."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway.core.framing import NO_BODY, Framing
from gateway.core.headers import Fields
from gateway.core.message import Listener, RawHead, ReplyHead, Request, Rules, normalize
from gateway.core.override import Tunnel
from gateway.core.target import Authority, parse_authority
from gateway.pipeline import AnsweredHere, Policy, decide
from gateway.policy.callers import LOCAL, Callers
from gateway.policy.catalogue import load_catalogue
from gateway.policy.forward import ForwardRules, Plan
from gateway.policy.permits import Permitted
from gateway.policy.rate_fields import RateFields, read_rate_fields
from gateway.policy.routes import Origin, Routes, Scheme, Upstream
from tests.replies import reply_head

VECTORS = Path(__file__).parents[1] / "vectors"
USER_AGENT = b"rc-gateway/0.1.0 (test)"
HERE = Listener(8080, loopback=True)
LISTENERS = {"loopback": HERE, "open": Listener(8080), "unix": Listener()}

PLATFORM = Upstream(
    "platform",
    Origin("https", "platform.ringcentral.com", 443),
    "ringcentral",
    Scheme.BEARER,
    (
        *(b"/restapi", b"/scim", b"/rcvideo", b"/video", b"/webinar", b"/analytics", b"/ai"),
        *(b"/team-messaging", b"/cx/social-messaging", b"/.well-known"),
    ),
)
MEDIA = Upstream(
    "media",
    Origin("https", "media.ringcentral.com", 443),
    "ringcentral",
    Scheme.BEARER,
    (b"/media",),
)
RINGCX = Upstream(
    "ringcx",
    Origin("https", "ringcx.ringcentral.com", 443),
    "ringcx",
    Scheme.BEARER,
    (b"/voice/api", b"/platform/api", b"/api/auth", b"/api/v2", b"/api/v6", b"/cx"),
)
ENGAGE_LEGACY = Upstream(
    "engage_legacy",
    Origin("https", "portal.vacd.biz", 443),
    "engage",
    Scheme.X_AUTH_TOKEN,
    (b"/api/v1",),
)
DIGITAL = Upstream(
    "engage_digital",
    Origin("https", "acme.api.digital.ringcentral.com", 443),
    "digital",
    Scheme.BEARER,
    (b"/1.0",),
)
EVERYTHING = (PLATFORM, MEDIA, RINGCX, ENGAGE_LEGACY, DIGITAL)
CATALOGUE = load_catalogue()


def callers_of(*hosts: str) -> Callers:
    return Callers(frozenset(parse_authority(host.encode()) for host in hosts))


def policy_of(
    upstreams: Iterable[Upstream] = EVERYTHING,
    *,
    callers: Callers | None = None,
    scheme: Scheme | None = None,
    tunnel: Tunnel = "off",
) -> Policy:
    """Compile a policy as the configuration would; scheme and tunnel are every upstream's."""
    callers = callers or Callers()
    table = {u.name: replace(u, scheme=scheme or u.scheme, tunnel=tunnel) for u in upstreams}
    return Policy(
        Rules(), callers, Routes(table, CATALOGUE, callers), ForwardRules(USER_AGENT), 60.0
    )


def fields_of(lines: str) -> Fields:
    """Read `Name: value` lines; a value may be empty."""
    pairs = (line.partition(":") for line in lines.splitlines() if line.strip())
    return tuple((name.encode(), value.strip().encode()) for name, _, value in pairs)


def raw_of(
    method: str, target: str, lines: str = "", *, listener: Listener = HERE, version: str = "1.1"
) -> RawHead:
    """Make a head; Host is ours unless the lines or the version do without."""
    fields = fields_of(lines)
    if version == "1.1" and not any(name.lower() == b"host" for name, _ in fields):
        fields = ((b"Host", b"127.0.0.1:8080"), *fields)
    return RawHead(method.encode(), target.encode(), f"HTTP/{version}".encode(), fields, listener)


def request_of(
    method: str, target: str, lines: str = "", *, listener: Listener = HERE, version: str = "1.1"
) -> Request:
    return normalize(raw_of(method, target, lines, listener=listener, version=version), Rules())


def plan_of(
    method: str,
    target: str,
    lines: str = "",
    *,
    scheme: Scheme | None = None,
    version: str = "1.1",
    tunnel: Tunnel = "off",
) -> Plan:
    """Return the plan of a request that is forwarded, 1,000 s after the clock began."""
    policy = policy_of(scheme=scheme, tunnel=tunnel)
    plan = decide(raw_of(method, target, lines, version=version), policy, 1000.0)
    assert not isinstance(plan, AnsweredHere)
    return plan


def permitted_of(
    method: str, target: str, lines: str = "", scheme: Scheme | None = None
) -> Permitted:
    routed = policy_of(scheme=scheme).routes.match(request_of(method, target, lines))
    return Permitted(LOCAL, routed)


def rate_fields(
    group: str, remaining: int, limit: int = 10, window_s: int = 60
) -> RateFields | None:
    """Return what is read of an answer with the vendor's rate fields."""
    lines = (
        f"X-Rate-Limit-Group: {group}\nX-Rate-Limit-Limit: {limit}\n"
        f"X-Rate-Limit-Remaining: {remaining}\nX-Rate-Limit-Window: {window_s}"
    )
    return read_rate_fields(reply_of(200, lines))


def reply_of(status: int, lines: str = "", framing: Framing = NO_BODY) -> ReplyHead:
    return reply_head(status, b"", b"HTTP/1.1", fields_of(lines), framing)


def vectors_of(name: str) -> list[Mapping[str, Any]]:
    """Read the cases of tests/vectors/NAME.toml; each has a name of its own."""
    cases: list[Mapping[str, Any]] = tomllib.loads((VECTORS / f"{name}.toml").read_text())["case"]
    return cases


def authority(text: str) -> Authority:
    return parse_authority(text.encode())

"""gateway/pipeline.py: the order of the stages, and what holds for every head."""

from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from gateway.core.message import RawHead
from gateway.errors import BadRequest, Refused
from gateway.pipeline import AnsweredHere, Policy, decide
from gateway.policy.callers import Callers
from gateway.policy.forward import ForwardRules, Plan
from gateway.policy.retries import Attempt, Failure
from gateway.policy.routes import Scheme
from tests.policy.world import (
    HERE,
    LISTENERS,
    PLATFORM,
    callers_of,
    plan_of,
    policy_of,
    raw_of,
)

PATH = "/restapi/v1.0/account/~"
POLICIES = [
    *(pytest.param(policy_of(scheme=scheme), id=scheme.value) for scheme in Scheme),
    pytest.param(policy_of(callers=callers_of("rc.corp.example")), id="with a listed name"),
    pytest.param(policy_of([PLATFORM]), id="platform only"),
]


def refusal_of(raw: RawHead) -> Refused:
    with pytest.raises(Refused) as caught:
        decide(raw, policy_of(), 0.0)
    return caught.value


def test_a_request_becomes_a_plan_whose_deadline_counts_from_its_arrival() -> None:
    plan = decide(raw_of("GET", PATH), policy_of(), 1000.0)
    assert isinstance(plan, Plan)
    assert plan.deadline == 1060.0
    assert plan.permitted.caller.name == "local"
    assert (plan.outbound.method, plan.outbound.target) == (b"GET", PATH.encode())


def test_nothing_that_a_decision_is_made_of_can_be_changed_after_it() -> None:
    plan = plan_of("GET", PATH)
    routed = plan.permitted.routed
    parts: list[Any] = [
        policy_of(),
        ForwardRules(b""),
        plan,
        plan.permitted,
        plan.permitted.caller,
        routed,
    ]
    parts += [routed.upstream, routed.upstream.origin, routed.operation, Callers()]
    parts += [AnsweredHere(plan.request), Attempt(1, Failure.BROKEN, 9.5)]
    for part in parts:
        with pytest.raises(FrozenInstanceError):
            setattr(part, fields(part)[0].name, None)
        assert not hasattr(part, "__dict__"), f"{part} has no slots"


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        # Each head also breaks every rule after the one that is named.
        (raw_of("POST", "/no?_method=GET", "Host: evil.example\nHost: b"), "bad-request"),
        (raw_of("POST", "/no?_method=GET", "Host: evil.example"), "bad-override"),
        (raw_of("POST", "/no?_method=PUT", "Host: evil.example"), "not-permitted"),
        (raw_of("POST", "/no?_method=PUT", "Origin: null"), "not-permitted"),
        (raw_of("POST", "/no/oauth/token"), "no-route"),
        (raw_of("POST", "/restapi/oauth/token"), "not-permitted"),
    ],
)
def test_the_first_stage_that_refuses_is_heard(broken: RawHead, code: str) -> None:
    assert refusal_of(broken).code == code


def test_the_effective_method_decides_operation_group_and_verb() -> None:
    plan = plan_of("POST", f"{PATH}/ivr-prompts/1", "X-HTTP-Method-Override: delete")
    operation = plan.permitted.routed.operation
    assert operation is not None
    assert (operation.method, plan.rate_group) == ("DELETE", "Heavy")
    assert plan.outbound.method == b"DELETE"


@pytest.mark.parametrize("hops", ["0", "00", "000000000"])
@pytest.mark.parametrize(
    "target", [PATH, "/", "/no/such/path", "/restapi/oauth/token", "http://localhost:8080/"]
)
def test_options_that_may_go_no_further_is_answered_here(target: str, hops: str) -> None:
    answered = decide(raw_of("OPTIONS", target, f"mAX-fORWARDS: {hops}"), policy_of(), 0.0)
    assert isinstance(answered, AnsweredHere)
    assert answered.allow == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
    assert answered.request.method == "OPTIONS"


def test_options_for_an_upstream_that_is_named_is_answered_here_too() -> None:
    head = raw_of("OPTIONS", f"http://platform.ringcentral.com{PATH}", "Max-Forwards: 0")
    assert isinstance(decide(head, policy_of(), 0.0), AnsweredHere)


@pytest.mark.parametrize("lines", ["", "Max-Forwards: 0", "Max-Forwards: 5"])
def test_options_of_everything_asks_the_gateway_itself(lines: str) -> None:
    answered = decide(raw_of("OPTIONS", "*", lines), policy_of(), 0.0)
    assert isinstance(answered, AnsweredHere)
    assert answered.request.target.render() == b"*"


def test_options_for_somebody_else_is_not_answered() -> None:
    refused = refusal_of(raw_of("OPTIONS", "http://evil.example/", "Max-Forwards: 0"))
    assert isinstance(refused, BadRequest)
    assert "neither this gateway nor an enabled upstream" in refused.message


def test_a_preflight_of_a_page_we_do_not_know_is_not_answered() -> None:
    refused = refusal_of(raw_of("OPTIONS", PATH, "Max-Forwards: 0\nOrigin: https://evil.example"))
    assert (refused.code, refused.status) == ("not-permitted", 403)


@pytest.mark.parametrize(
    "lines",
    [
        *("Max-Forwards: -1", "Max-Forwards: 1.0", "Max-Forwards: many", "Max-Forwards:"),
        *("Max-Forwards: 1, 1", f"Max-Forwards: 1{'0' * 18}"),
        *("Max-Forwards: 0x1", "Max-Forwards: +1", "Max-Forwards: ²"),
    ],
)
def test_max_forwards_of_options_is_one_number(lines: str) -> None:
    assert refusal_of(raw_of("OPTIONS", PATH, lines)).message == "Max-Forwards is not one number"


@pytest.mark.parametrize("lines", ["", "Max-Forwards: 1", "Max-Forwards: 10"])
def test_options_that_may_go_further_goes_further(lines: str) -> None:
    assert plan_of("OPTIONS", PATH, lines).outbound.method == b"OPTIONS"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
@pytest.mark.parametrize("value", ["0", "many"])
def test_max_forwards_means_nothing_to_another_method(method: str, value: str) -> None:
    assert plan_of(method, PATH, f"Max-Forwards: {value}").request.method == method


# --- every head: at most one part of it is flawed, so that each stage is reached

GOOD_METHODS = (b"GET", b"HEAD", b"POST", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS")
BAD_METHODS = (b"CONNECT", b"TRACE", b"get", b"", b"G T", b"\xff", b"X" * 40)
GOOD_VERSIONS = (b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0")
BAD_VERSIONS = (b"HTTP/2.0", b"HTTP/0.9", b"http/1.1", b"", b"\xff")
GOOD_HOSTS = (b"localhost:8080", b"127.0.0.1", b"[::1]:8080", b"rc.corp.example")
BAD_HOSTS = (b"evil.example", b"localhost:1", b"[::", b"a:b", b"\xff", b"")
GOOD_PREFIXES = (
    *(b"/restapi/v1.0", b"/media/restapi", b"/voice/api/v1", b"/1.0", b"/cx", b"/api/v1"),
    *(b"/restapi/v1.0/account/~/recording/1/content", b"http://localhost:8080/restapi"),
    *(b"https://platform.ringcentral.com/ai", b"http://media.ringcentral.com:80/restapi"),
)
BAD_PREFIXES = (
    *(b"/", b"", b"*", b"/no", b"/api/auth", b"/restapi/oauth/token", b"/restapi/oauth%2frevoke"),
    *(b"http://", b"ftp://localhost/", b"http://user@localhost/restapi", b"http://evil.example/"),
    *(b"http://localhost:99999/restapi", b"http://\xc3\xa9.example/", b"http://[::1/restapi"),
)
GOOD_PIECES = (
    *(b"/", b"//", b"/a", b"/~", b"/...", b"/..a", b"/token", b"%2F", b"%252f", b"%5c", b"%00"),
    *(b"%E2%82%AC", b"%3b", b";x=1", b"[0]", b"(a)", b"@", b":", b"%7E", b"x"),
)
BAD_PIECES = (
    *(b"/.", b"/..", b"/..;x", b"/%2e%2E", b"/%252e", b"%5c..", b"%25252f", b"%", b"%zz"),
    *(b"\\", b" ", b"\x00", b"\x7f", b"\xff", b"#", b"\r\n"),
)
GOOD_PAIRS = (
    *(b"a=1", b"a=", b"a", b"=", b"", b"a=%20", b"a=+16501234567", b"a=[1]", b"a=b=c", b"?"),
    *(b"access_token=t", b"%61ccess_token=t", b"_method=", b"a=/~"),
)
BAD_PAIRS = (
    *(b"_method=DELETE", b"_method=put", b"%5Fmethod=PATCH", b"_method=TRACE", b"_method=%"),
    *(b"a=%", b"a= ", b"a=\xff", b"a=|", b"a=\x00", b"#"),
)
GOOD_FIELDS = (
    *((b"Accept", b"*/*"), (b"X-Name", b"caf\xe9"), (b"X-Twice", b"1"), (b"X-Twice", b"2")),
    *((b"Connection", b"close, x-name"), (b"Connection", b"host"), (b"Connection", b"\xff,")),
    *((b"Origin", b"http://localhost:8080"), (b"Sec-Fetch-Site", b"none"), (b"Cookie", b"a")),
    *((b"Max-Forwards", b"7"), (b"Expect", b"100-continue"), (b"Authorization", b"Bearer \xff")),
    *((b"X_Forwarded_For", b"1"), (b"x-method-override", b""), (b"Via", b"1.0 a")),
)
BAD_FIELDS = (
    *((b"Content-Length", b"5"), (b"Content-Length", b"+5"), (b"content-length", b"6")),
    *((b"Transfer-Encoding", b"chunked"), (b"Transfer-Encoding", b"gzip")),
    *((b"X-HTTP-Method-Override", b"DELETE"), (b"x-http-method-override", b"PUT, DELETE")),
    *((b"X-HTTP-Method-Override", b"\xff"), (b"X-Method-Override", b"PUT")),
    *((b"Origin", b"null"), (b"Origin", b"\xff"), (b"Sec-Fetch-Site", b"cross-site")),
    *((b"Max-Forwards", b"0"), (b"Max-Forwards", b"\xb2"), (b"Expect", b"x"), (b"Host", b"b")),
    *((b"Bad Name", b"1"), (b"", b"1"), (b"\xff", b"1"), (b"X-Name", b" a")),
    *((b"X-Name", b"a\r\nb"), (b"X-Name", b"\x00")),
)


@st.composite
def heads(draw: st.DrawFn) -> RawHead:
    flaw = draw(
        st.sampled_from(["", "", "", "", "method", "prefix", "path", "query", "version", "host"])
    )

    def one(part: str, good: tuple[bytes, ...], bad: tuple[bytes, ...]) -> bytes:
        return draw(st.sampled_from(bad if flaw == part else good))

    def some(part: str, good: tuple[bytes, ...], bad: tuple[bytes, ...]) -> list[bytes]:
        pieces = draw(st.lists(st.sampled_from(good), max_size=3))
        return [*pieces, draw(st.sampled_from(bad))] if flaw == part else pieces

    path = one("prefix", GOOD_PREFIXES, BAD_PREFIXES) + b"/"
    path += b"".join(some("path", GOOD_PIECES, BAD_PIECES))
    query = b"&".join(some("query", GOOD_PAIRS, BAD_PAIRS))
    fields = draw(st.lists(st.sampled_from(GOOD_FIELDS), max_size=4, unique=True))
    if not flaw:
        fields += draw(st.lists(st.sampled_from(BAD_FIELDS), max_size=2))
    return RawHead(
        one("method", GOOD_METHODS, BAD_METHODS),
        path + b"?" + query if query or draw(st.booleans()) else path,
        one("version", GOOD_VERSIONS, BAD_VERSIONS),
        ((b"Host", one("host", GOOD_HOSTS, BAD_HOSTS)), *fields),
        draw(st.sampled_from([*LISTENERS.values()])),
    )


NOISE = st.builds(
    RawHead,
    st.binary(max_size=8),
    st.binary(max_size=60),
    st.binary(max_size=9),
    st.lists(st.tuples(st.binary(max_size=12), st.binary(max_size=20)), max_size=4).map(tuple),
    st.just(HERE),
)


def path_of(target: bytes) -> bytes:
    """Return the path of a target as its bytes have it, by other means than `core`."""
    head = target.split(b"?")[0]
    if not head.startswith(b"/"):
        head = b"/" + b"/".join(head.split(b"/")[3:])
    return head


@pytest.mark.parametrize("policy", POLICIES)
@given(raw=heads())
def test_a_head_is_decided_or_refused_and_accepted_bytes_leave_unchanged(
    raw: RawHead, policy: Policy
) -> None:
    try:
        decided = decide(raw, policy, 1.0)
    except Refused as refused:
        event(refused.code)
        check_refusal(refused)
        return
    event(type(decided).__name__)
    if not isinstance(decided, AnsweredHere):
        check_plan(raw, decided)


@given(NOISE)
def test_noise_is_refused(raw: RawHead) -> None:
    check_refusal(refusal_of(raw))


def check_refusal(refused: Refused) -> None:
    assert type(refused) is not Refused
    # No byte of the caller's reaches a terminal or a log as it is.
    assert refused.message.isascii()
    assert refused.message.isprintable()


def check_plan(raw: RawHead, plan: Plan) -> None:
    path = path_of(raw.target)
    assert plan.outbound.path in (path, path.removeprefix(b"/media"))
    if plan.outbound.path != path:
        assert plan.upstream.name == "media"
    head = plan.outbound.render()
    assert head.count(b"\r\n\r\n") == 1
    assert head.endswith(b"\r\n\r\n")
    assert head.count(b"\r\n") == len(plan.outbound.fields) + 2
    names = [name.lower() for name, _ in plan.outbound.fields]
    assert names.count(b"host") == 1
    assert not {b"content-length", b"transfer-encoding", b"connection"}.intersection(names)
    assert not {b"x-http-method-override", b"expect", b"x_forwarded_for"}.intersection(names)

"""gateway/policy/forward.py."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.core.headers import find_repeated, hop_by_hop
from gateway.core.message import RawHead
from gateway.core.secret import Secret
from gateway.pipeline import AnsweredHere, decide
from gateway.policy.forward import Fate, ForwardRules, Plan, fate_of
from gateway.policy.routes import Scheme
from tests.policy.world import (
    DIGITAL,
    HERE,
    USER_AGENT,
    fields_of,
    plan_of,
    policy_of,
    raw_of,
    vectors_of,
)

PATH = "/restapi/v1.0/account/~"
OURS = (
    (b"User-Agent", USER_AGENT),
    (b"X-User-Agent", USER_AGENT),
    (b"Via", b"1.1 rc-gateway"),
)


def passing_fields(plan: Plan) -> tuple[tuple[bytes, bytes | Secret], ...]:
    """Return what is neither Host nor set at the end."""
    assert plan.outbound.fields[0][0] == b"Host"
    assert plan.outbound.fields[-3:] == OURS
    return plan.outbound.fields[1:-3]


@pytest.mark.parametrize(
    "case",
    vectors_of("policy_fields"),
    ids=lambda case: f"{case['name']}-{case.get('connection', '')}",
)
@pytest.mark.parametrize("scheme", Scheme)
def test_the_fate_of_a_field(case: Mapping[str, Any], scheme: Scheme) -> None:
    ending = hop_by_hop(fields_of(f"Connection: {case.get('connection', '')}"))
    expected = case["fate"]
    if scheme is Scheme.PASSTHROUGH:
        expected = case.get("passthrough", expected)
    fate = fate_of(case["name"].lower().encode(), ending, scheme)
    assert fate is (Fate[expected] if expected else None)


def test_every_fate_has_a_case_and_a_reason_of_its_own() -> None:
    assert {Fate[case["fate"]] for case in vectors_of("policy_fields") if case["fate"]} == {*Fate}
    assert len({fate.value for fate in Fate}) == len(Fate)


def test_the_head_that_leaves_byte_for_byte() -> None:
    plan = plan_of(
        "POST",
        PATH + "/extension/~/message-store/1?a=%20&_method=PUT&access_token=t&b=&a=2",
        """Host: 127.0.0.1:8080
ACCEPT: */*
User-Agent: curl/8.14.1
content-type: application/json
X-Twice: 1
Authorization: Bearer mine
Content-Length: 2
X-Twice: 2, 3
X-Empty:
Connection: keep-alive, X-Hop
X-Hop: gone
traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
Expect: 100-continue
""",
    )
    assert plan.outbound.render() == (
        b"PUT /restapi/v1.0/account/~/extension/~/message-store/1?a=%20&b=&a=2 HTTP/1.1\r\n"
        b"Host: platform.ringcentral.com\r\n"
        b"ACCEPT: */*\r\n"
        b"content-type: application/json\r\n"
        b"X-Twice: 1\r\n"
        b"X-Twice: 2, 3\r\n"
        b"X-Empty: \r\n"
        b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
        b"User-Agent: rc-gateway/0.1.0 (test)\r\n"
        b"X-User-Agent: rc-gateway/0.1.0 (test)\r\n"
        b"Via: 1.1 rc-gateway\r\n"
        b"\r\n"
    )


def test_nothing_is_invented() -> None:
    assert passing_fields(plan_of("POST", PATH)) == ()


def test_values_that_are_not_ascii_keep_their_bytes() -> None:
    values = [b"caf\xe9", "café".encode(), b"\xff\x80\xfe", b"a\tb"]
    fields = ((b"Host", b"localhost"), *((b"X-Name", value) for value in values))
    head = RawHead(b"GET", PATH.encode(), b"HTTP/1.1", fields, HERE)
    plan = decide(head, policy_of(), 0.0)
    assert isinstance(plan, Plan)
    assert passing_fields(plan) == tuple((b"X-Name", value) for value in values)


def test_our_via_follows_those_that_were_there() -> None:
    plan = plan_of("GET", PATH, "Via: 1.0 fred, 1.1 p.example\nAccept: */*\nVia: 1.1 front")
    vias = [value for name, value in plan.outbound.fields if name == b"Via"]
    assert vias == [b"1.0 fred, 1.1 p.example", b"1.1 front", b"1.1 rc-gateway"]


def test_the_pseudonym_in_via_is_one_of_the_rules() -> None:
    assert ForwardRules(b"a/1").via == b"1.1 rc-gateway"


def test_the_user_agent_is_ours_whatever_the_caller_says() -> None:
    lines = "User-Agent: a\nX-User-Agent: b\nRC-User-Agent: c\nSDK-User-Agent: d\nUser_Agent: e"
    assert passing_fields(plan_of("GET", PATH, lines)) == ()


@pytest.mark.parametrize(
    ("target", "host"),
    [
        (PATH, b"platform.ringcentral.com"),
        ("/media" + PATH, b"media.ringcentral.com"),
        ("http://platform.ringcentral.com:443" + PATH, b"platform.ringcentral.com"),
        ("http://127.0.0.1:8080" + PATH, b"platform.ringcentral.com"),
        ("/1.0/contents", b"acme.api.digital.ringcentral.com"),
    ],
)
def test_host_is_the_upstreams_and_comes_first(target: str, host: bytes) -> None:
    plan = plan_of("GET", target, "Accept: */*\nHost: localhost:8080")
    assert plan.outbound.fields[0] == (b"Host", host)
    assert [name.lower() for name, _ in plan.outbound.fields].count(b"host") == 1


def test_plans_are_compared_by_what_they_would_do() -> None:
    def decided(token: str) -> Plan:
        return plan_of("GET", PATH, f"Authorization: {token}", scheme=Scheme.PASSTHROUGH)

    assert decided("a") == decided("a")
    assert decided("a") != decided("b")


@pytest.mark.parametrize(
    ("method", "value", "left"),
    [
        ("OPTIONS", "1", b"0"),
        ("OPTIONS", "10", b"9"),
        ("OPTIONS", "007", b"6"),
        ("OPTIONS", "999999999", b"999999998"),
        ("GET", "0", b"0"),
        ("GET", "1", b"1"),
        ("POST", "many", b"many"),
    ],
)
def test_max_forwards_is_counted_down_for_options_only(
    method: str, value: str, left: bytes
) -> None:
    plan = plan_of(method, PATH, f"X-Hops: {value}\nmAX-fORWARDS: {value}")
    assert passing_fields(plan) == ((b"X-Hops", value.encode()), (b"mAX-fORWARDS", left))


@pytest.mark.parametrize(
    ("request_line", "group"),
    [
        ("GET /restapi/v1.0/account/~/ivr-prompts/1", "Medium"),
        ("HEAD /restapi/v1.0/account/~/ivr-prompts/1", "Medium"),
        ("DELETE /restapi/v1.0/account/~/ivr-prompts/1", "Heavy"),
        ("POST /restapi/v1.0/account/~/ivr-prompts/1?_method=DELETE", "Heavy"),
        ("POST /restapi/v1.0/account/~/ivr-prompts/1", None),
        ("GET /restapi/v9.9/new", None),
        # A family has one for all methods, and for each account where its limits are per account.
        ("GET /voice/api/v1/admin/reports/agents", "ringcx-reports"),
        (
            "GET /voice/api/cx/integration/v1/accounts/1/sub-accounts/7/agg-agent-stats",
            "ringcx-reports/7",
        ),
    ],
)
def test_the_rate_group_is_that_of_the_effective_method(
    request_line: str, group: str | None
) -> None:
    assert plan_of(*request_line.split(" ")).rate_group == group


@pytest.mark.parametrize(
    ("method", "lines", "idempotent"),
    [
        ("GET", "", True),
        ("HEAD", "", True),
        ("PUT", "", True),
        ("DELETE", "", True),
        ("OPTIONS", "", True),
        ("POST", "", False),
        ("PATCH", "", False),
        ("POST", "X-HTTP-Method-Override: DELETE", True),
        ("POST", "X-HTTP-Method-Override: put", True),
        ("POST", "X-HTTP-Method-Override: PATCH", False),
    ],
)
def test_a_request_is_idempotent_by_its_effective_method(
    method: str, lines: str, idempotent: bool
) -> None:
    assert plan_of(method, PATH, lines).idempotent is idempotent


def test_a_plan_knows_its_request_upstream_and_deadline() -> None:
    plan = plan_of("POST", PATH, "X-HTTP-Method-Override: DELETE")
    assert (plan.request.method, plan.request.wire_method) == ("DELETE", "POST")
    assert plan.upstream.name == "platform"
    assert plan.deadline == 1060.0


# What core reads in a value of these is not the subject here.
JUDGED = frozenset(
    {
        *("host", "expect", "content-length", "transfer-encoding", "connection"),
        "x-http-method-override",
    }
)
NAMES = st.one_of(
    st.sampled_from([case["name"] for case in vectors_of("policy_fields")]),
    st.from_regex(r"[A-Za-z_\-]{1,12}", fullmatch=True),
).filter(lambda name: name.lower() not in JUDGED)
VALUES = st.binary(min_size=1, max_size=20).map(
    lambda raw: bytes(byte for byte in raw if 0x20 < byte != 0x7F)
)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=12))
def test_what_passes_keeps_its_order_its_spelling_and_its_bytes(
    pairs: list[tuple[str, bytes]],
) -> None:
    fields = tuple((name.encode(), value) for name, value in pairs)
    assume(find_repeated(fields) is None)
    head = RawHead(b"GET", PATH.encode(), b"HTTP/1.1", ((b"Host", b"localhost"), *fields), HERE)
    plan = decide(head, policy_of(scheme=Scheme.NONE), 0.0)
    assert not isinstance(plan, AnsweredHere)
    ending = hop_by_hop(())
    assert passing_fields(plan) == tuple(
        (name, value)
        for name, value in fields
        if fate_of(name.lower(), ending, Scheme.NONE) is None
    )


@pytest.mark.parametrize(
    ("cut", "query"), [((), b"impersonated_user_id=7&a=1"), ((b"impersonated_user_id",), b"a=1")]
)
def test_a_parameter_that_speaks_for_somebody_else_passes_only_where_it_may(
    cut: tuple[bytes, ...], query: bytes
) -> None:
    digital = replace(DIGITAL, cut_parameters=cut)
    target = "/1.0/x?impersonated_user_id=7&access%5Ftoken=x&a=1"
    planned = decide(raw_of("GET", target), policy_of([digital]), 0.0)
    assert isinstance(planned, Plan)
    assert planned.outbound.query == query
    assert planned.scheme is Scheme.BEARER


@given(st.floats(0, 1e9))
def test_a_plan_for_another_moment_differs_in_nothing_else(deadline: float) -> None:
    decided = plan_of("POST", "/restapi", "Content-Length: 5")
    assert decided.due(deadline) == replace(decided, deadline=deadline)

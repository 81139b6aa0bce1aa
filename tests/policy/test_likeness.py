"""gateway/policy/likeness.py: targets with one mould are decided alike."""

import re
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.core.message import OutboundHead, Rules
from gateway.core.override import Tunnel
from gateway.core.query import Mode, Profile, QueryRules
from gateway.errors import GatewayError
from gateway.pipeline import Policy, decide
from gateway.policy.callers import Callers
from gateway.policy.catalogue import Catalogue, Operation
from gateway.policy.forward import Plan
from gateway.policy.likeness import Likeness
from gateway.policy.links import LinkRules
from gateway.policy.rate_groups import RateGroups
from gateway.policy.routes import Routes, Scheme
from tests.policy.world import CATALOGUE, DIGITAL, EVERYTHING, PLATFORM, plan_of, policy_of, raw_of

STORE = "/restapi/v1.0/account/~/extension/~/message-store"
UUID = "123e4567-e89b-12d3-a456-426614174000"
HEX = "5f9A0c12d3e4f56789abcdef"
REPORTS = "/voice/api/cx/integration/v1/accounts/1/sub-accounts"

ids = st.one_of(
    st.integers(0, 10**20).map(str),
    st.uuids().map(str),
    st.text("0123456789abcdefABCDEF", min_size=24, max_size=24),
    st.text("abcdef", min_size=24, max_size=24),
)
# A blank stands for an id, in a path, and for a value, in a query.
paths = st.one_of(
    st.sampled_from(
        [re.sub(r"\{\w+\}", " ", template.decode()) for template in CATALOGUE.templates()]
    ),
    st.sampled_from(
        [
            *("/api/v1/admin/accounts/ /campaigns/ /leadLoader/direct", f"{REPORTS}/ /agg-x-stats"),
            *("/voice/api/v1/admin/reports/ ", "/voice/api/v1/admin/token/ ", "/1.0/contents/ "),
            *("/media" + STORE + "/ /content/ ", "/restapi/oauth/token/ ", "/nowhere/ ", "/ /x"),
            *("/restapi/ /", "/restapi/ ;v=1", "/restapi//x/ ", "/restapi/%2e%2e/ "),
            *("/restapi/ /..", "/restapi/x /y"),
            *("/restapi/ %2F ", "/scim/v2/users/ ", "/cx/ / ", "/1/ "),
        ]
    ),
    st.lists(
        st.sampled_from([" ", "restapi", "v1.0", "account", "~", "message-store", "admin", "api"]),
        min_size=1,
        max_size=5,
    ).map(lambda parts: "/" + "/".join(parts)),
)
names = st.sampled_from(
    [
        *("page", "perPage", "dateFrom", "_method", "%5fmethod", "access_token", "orderBy", ""),
        *("a=b", "leadSearch", "token", "phoneNumber", "impersonatedUser", "rcAccessToken"),
    ]
)
values = st.one_of(
    st.sampled_from(
        ["", "1", "PUT", "DELETE", "2026-11-27T10:00:00.000Z", "%2B1650", "+16505550100", "[1]"]
    ),
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=9),
)
pairs = st.lists(st.tuples(names, st.booleans(), values, values), max_size=3)


def fill(pattern: str, given_ids: list[str]) -> str:
    pieces = pattern.split(" ")
    return "".join(a + b for a, b in zip(pieces, [*given_ids[: len(pieces) - 1], ""], strict=True))


def policy_with(query: QueryRules, scheme: Scheme | None, tunnel: Tunnel) -> Policy:
    policy = policy_of(scheme=scheme, tunnel=tunnel)
    links = LinkRules({one.name: one for one in EVERYTHING}, policy.callers)
    forward = replace(policy.forward, links=links)
    return replace(policy, rules=Rules(query=query), forward=forward)


def decided(policy: Policy, method: str, target: str, lines: str) -> Plan | None:
    try:
        plan = decide(raw_of(method, target, lines), policy, 0.0)
    except GatewayError:
        return None
    assert isinstance(plan, Plan)
    return plan


def rest_of(plan: Plan) -> tuple[object, ...]:
    """Return all of a plan but the bytes of its target."""
    request, routed, head = plan.request, plan.permitted.routed, plan.outbound
    key = RateGroups(b"secret").key_of(plan.permitted)
    links = tuple(one and one.written for one in (plan.links, plan.restored))
    return (
        *(request.method, request.wire_method, request.override, request.findings, request.host),
        *(routed.upstream, routed.operation, plan.scheme, plan.rate_group, plan.permitted.caller),
        *(head.method, head.fields, plan.framing, plan.idempotent, key, *links),
    )


@given(
    st.sampled_from(["GET", "GET", "POST", "PUT", "DELETE"]),
    st.sampled_from(["", "", "X-HTTP-Method-Override: PUT", "Sec-Fetch-Site: cross-site"]),
    *(paths, st.lists(st.tuples(ids, ids), min_size=6, max_size=6), pairs),
    st.just(QueryRules())
    | st.builds(QueryRules, st.sampled_from(Profile), st.sampled_from(Mode), st.sampled_from(Mode)),
    st.none() | st.sampled_from(Scheme),
    st.just("off") | st.sampled_from(["header", "query"]),
)
@settings(max_examples=300)
@example("GET", "", STORE + "/ ", [("1", UUID)], [], QueryRules(), None, "off")
@example("GET", "", "/restapi/x/ ", [("1", "abcdef" * 4)], [], QueryRules(), None, "off")
@example("GET", "", f"{REPORTS}/ /agg-x-stats", [("1", "2")], [], QueryRules(), None, "off")
@example("GET", "", "/restapi/ ", [("1", "2")], [("a", True, "1", "+")], QueryRules(), None, "off")
@example("POST", "", STORE, [], [("_method", True, "PUT", "GET")], QueryRules(), None, "off")
def test_targets_with_one_mould_are_decided_alike(
    method: str,
    lines: str,
    pattern: str,
    chosen: list[tuple[str, str]],
    query: list[tuple[str, bool, str, str]],
    rules: QueryRules,
    scheme: Scheme | None,
    tunnel: Tunnel,
) -> None:
    policy = policy_with(rules, scheme, tunnel)
    both = []
    for which in (0, 1):
        path = fill(pattern, [pair[which] for pair in chosen])
        texts = [name + ("=" + one_of[which] if has else "") for name, has, *one_of in query]
        both.append(path + ("?" + "&".join(texts) if texts else ""))
    likeness = Likeness(policy.routes, rules)
    first, second = (likeness.mould(target.encode()) for target in both)
    plan = decided(policy, method, both[0], lines)
    if first is None or first != second:
        return
    if plan is None or not likeness.is_typical(plan, both[0].encode()):
        return
    other = decided(policy, method, both[1], lines)
    assert other is not None
    assert rest_of(other) == rest_of(plan)
    path, mark, left = both[1].partition("?")
    sent = left.encode() if mark else None
    head = plan.outbound
    assert other.outbound == OutboundHead(head.method, path.encode(), sent, head.fields)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (STORE + "/1", STORE + "/402406984008"),
        (STORE + "/1/content/2?", STORE + f"/{UUID}/content/{HEX}?"),
        (STORE + "?page=1&dateFrom=2026-11-27T10:00:00Z", STORE + "?page=27&dateFrom="),
        ("/restapi/v1.0/account/1", "/restapi/v1.0/account/2"),
    ],
)
def test_ids_and_values_are_not_in_the_mould(one: str, other: str) -> None:
    likeness = Likeness(policy_of().routes, QueryRules())
    mould = likeness.mould(one.encode())
    assert mould is not None
    assert mould == likeness.mould(other.encode())
    assert likeness.is_typical(plan_of("GET", one), one.encode())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (STORE + "/1", STORE + "/~"),
        (STORE + "/1", STORE + "/1/"),
        (STORE + "/1", STORE + "/1?"),
        (STORE + "/1", STORE + "/1;v=1"),
        (STORE + "?page=1", STORE + "?perPage=1"),
        (STORE + "?page=1", STORE + "?page"),
        (STORE + "?1", STORE + "?2"),
        (STORE + "?a=1", STORE + "?a=1&b=2"),
        (STORE + "?a=1", STORE + "?a=1&_method=PUT"),
        (STORE + "?a=1", STORE + "?a=1;b=2"),
        (STORE + "?a=1;b=2", STORE + "?a=1;c=2"),
        (STORE + "/1", STORE + "/" + "abcdef" * 4),
        (STORE + "/1", STORE + "/" + "0abcdefg" * 3),
        (STORE + "/1", STORE + "/deadbeef-cafe-babe-face-feedfacecafe"),
        ("/restapi/v1.0/account", "/restapi/v2/account"),
        ("/restapi/5f9a0c12d3e4f56789abcde", "/restapi/1"),
    ],
)
def test_all_else_is_in_the_mould(one: str, other: str) -> None:
    likeness = Likeness(policy_of().routes, QueryRules())
    assert likeness.mould(one.encode()) != likeness.mould(other.encode())


@pytest.mark.parametrize("query", ["a=<1>", "phoneNumber=+16505550100", "a=%zz", "a=x#y"])
def test_a_query_of_which_something_is_to_be_said_has_no_mould(query: str) -> None:
    likeness = Likeness(policy_of().routes, QueryRules())
    assert likeness.mould(f"{STORE}?a=1&{query}".encode()) is None
    assert likeness.mould(f"{STORE}?a=1".encode()) is not None


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", STORE + "/1?_method=PUT"),
        ("GET", STORE + "/1?access_token=s"),
        ("GET", "/media" + STORE + "/1/content/2"),
        ("GET", REPORTS + "/7/agg-x-stats"),
        ("GET", STORE + "?phoneNumber=+16505550100"),
    ],
)
def test_what_depends_on_more_than_the_mould_is_not_typical(method: str, target: str) -> None:
    likeness = Likeness(policy_of().routes, QueryRules())
    assert not likeness.is_typical(plan_of(method, target), target.encode())


def test_what_is_charged_to_the_callers_own_token_is_not_typical() -> None:
    likeness = Likeness(policy_of().routes, QueryRules())
    plan = plan_of("GET", STORE, scheme=Scheme.PASSTHROUGH)
    assert not likeness.is_typical(plan, STORE.encode())


def test_a_route_with_an_id_makes_every_target_its_own() -> None:
    numbered = replace(DIGITAL, prefixes=(b"/tenants/7",))
    policy = policy_of((PLATFORM, numbered))
    assert Likeness(policy.routes, QueryRules()).mould(STORE.encode()) is None
    by_cookie = replace(DIGITAL, cookie_paths=(b"/tenants/7/x",))
    assert Likeness(policy_of((by_cookie,)).routes, QueryRules()).mould(STORE.encode()) is None
    catalogue = Catalogue([Operation("GET", "/restapi/7/x", "Light", media=False)])
    routes = Routes({"platform": PLATFORM}, catalogue, Callers())
    assert Likeness(routes, QueryRules()).mould(STORE.encode()) is None
    assert Likeness(policy_of().routes, QueryRules()).mould(STORE.encode()) is not None

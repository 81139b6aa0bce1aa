"""gateway/policy/forward.py: how verbs leave on a path that passes only GET and POST."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.framing import EMPTY, NO_BODY, Framing, Kind
from gateway.core.override import HEADER, Tunnel
from gateway.policy.routes import Scheme
from tests.policy.world import plan_of

PATH = "/restapi/v1.0/account/~/extension/~/message-store/1"
VERBS = st.sampled_from(["PUT", "PATCH", "DELETE"])
TUNNELS: st.SearchStrategy[Tunnel] = st.sampled_from(["header", "query"])


@pytest.mark.parametrize(
    ("method", "tunnel", "query", "wire", "sent"),
    [
        ("DELETE", "off", "?a", "DELETE", "?a"),
        ("DELETE", "header", "?a", "POST", "?a"),
        ("DELETE", "query", "?a", "POST", "?a&_method=DELETE"),
        ("PUT", "query", "", "POST", "?_method=PUT"),
        ("PUT", "query", "?", "POST", "?_method=PUT"),
        ("PATCH", "query", "?b=%2B&a=", "POST", "?b=%2B&a=&_method=PATCH"),
        ("HEAD", "header", "?a", "GET", "?a"),
        ("HEAD", "query", "?a", "GET", "?a"),
        ("POST", "query", "?a", "POST", "?a"),
        ("GET", "header", "?a", "GET", "?a"),
        ("OPTIONS", "query", "?a", "OPTIONS", "?a"),
    ],
)
def test_a_verb_leaves_as_its_upstream_can_take_it(
    method: str, tunnel: Tunnel, query: str, wire: str, sent: str
) -> None:
    plan = plan_of(method, PATH + query, tunnel=tunnel)
    assert plan.outbound.method.decode() == wire
    assert plan.outbound.target.decode() == PATH + sent
    overrides = [value for name, value in plan.outbound.fields if name == HEADER]
    is_named = tunnel == "header" and wire == "POST" and method != "POST"
    assert overrides == ([method.encode()] if is_named else [])
    assert plan.request.method == method


def test_what_came_tunnelled_leaves_tunnelled_the_other_way() -> None:
    plan = plan_of("POST", f"{PATH}?_method=PUT&a", "X-HTTP-Method-Override: put", tunnel="header")
    assert plan.outbound.target == f"{PATH}?a".encode()
    assert [value for name, value in plan.outbound.fields if name == HEADER] == [b"PUT"]
    assert plan.idempotent


def test_the_verb_stands_behind_a_token_that_passes_through() -> None:
    target = f"{PATH}?access_token=t"
    plan = plan_of("DELETE", target, scheme=Scheme.PASSTHROUGH, tunnel="query")
    assert plan.outbound.query == b"access_token=t&_method=DELETE"
    assert plan_of("DELETE", target, tunnel="query").outbound.query == b"_method=DELETE"


@pytest.mark.parametrize(
    ("method", "tunnel", "lines", "framing"),
    [
        ("DELETE", "header", "", EMPTY),
        ("DELETE", "header", "Content-Length: 3", Framing(Kind.LENGTH, 3)),
        ("DELETE", "off", "", NO_BODY),
        ("POST", "header", "", NO_BODY),
        ("HEAD", "header", "", NO_BODY),
    ],
)
def test_a_post_in_disguise_says_that_it_has_no_body(
    method: str, tunnel: Tunnel, lines: str, framing: Framing
) -> None:
    assert plan_of(method, PATH, lines, tunnel=tunnel).framing == framing


def test_the_body_of_a_reply_to_head_is_nobodys() -> None:
    assert not plan_of("HEAD", PATH, tunnel="header").wants_body
    assert plan_of("GET", PATH, tunnel="header").wants_body


@given(VERBS, TUNNELS, st.sampled_from(["", "?a=1", "?a&b=%20", "?&"]))
def test_the_effective_method_decides_whatever_is_on_the_wire(
    method: str, tunnel: Tunnel, query: str
) -> None:
    plain, disguised = plan_of(method, PATH + query), plan_of(method, PATH + query, tunnel=tunnel)
    assert disguised.rate_group == plain.rate_group
    assert disguised.idempotent == plain.idempotent
    assert disguised.request == plain.request
    assert disguised.outbound.target.startswith(plain.outbound.target)

"""gateway/engine/alike.py: written from a head that is known, or decided anew, it is the same."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.engine.known import Known
from gateway.engine.known_heads import KnownHeads
from gateway.policy.rate_groups import RateGroups
from gateway.policy.routes import Scheme
from tests.engine.knowing import fields, head_of, heads_of, outcome
from tests.policy.world import DIGITAL, HERE, policy_of
from tests.reached import bytes_kept_by

STORE = b"/restapi/v1.0/account/~/extension/~/message-store"
REPORTS = b"/voice/api/cx/integration/v1/accounts/1/sub-accounts"

# A blank stands for what differs.
patterns = st.sampled_from(
    [
        *(STORE + b"/ ", STORE + b"/ /content/ ", STORE + b"?page= &perPage=100", STORE + b"/ ?"),
        *(b"/restapi/v1.0/account/ /extension/ ", b"/nothing/ ", b"/restapi/unheard-of/ /x"),
        *(b"/media" + STORE + b"/ /content/ ", REPORTS + b"/ /agg-x-stats", b"/1.0/contents/ "),
        *(STORE + b"?_method= ", STORE + b"?access_token= ", STORE + b"?a= &b", STORE + b"/ ;v=1"),
        *(b"/api/v1/admin/accounts/ ", b"/restapi/oauth/token/ ", b"/admin/token/ "),
    ]
)
differing = st.one_of(
    st.integers(0, 10**18).map(lambda number: b"%d" % number),
    st.uuids().map(lambda uuid: str(uuid).encode()),
    st.sampled_from([b"PUT", b"x", b"%20", b"+1650", b"<", b"", b"token", b"~"]),
)
methods = st.sampled_from([b"GET", b"POST", b"DELETE"])


def fill(pattern: bytes, what: bytes) -> bytes:
    return pattern.replace(b" ", what)


def taught(heads: KnownHeads, method: bytes, pattern: bytes, *listed: bytes) -> KnownHeads:
    """Let the fields come twice, and then two targets like the one to come."""
    for number in range(4):
        heads.find(head_of(method, fill(pattern, b"%d" % number), *listed))
    return heads


def written(heads: KnownHeads, target: bytes, *listed: bytes, method: bytes = b"GET") -> Known:
    known = heads.find(head_of(method, target, *listed))
    assert known is not None
    return known


@given(methods, fields, patterns, differing, st.none() | st.sampled_from(Scheme), st.booleans())
@example(b"GET", [b"Authorization: Bearer s3cr3t"], STORE + b"/ ", b"7", None, True)
@example(b"POST", [b"Content-Length: 3"], STORE + b"/ ", b"7", Scheme.PASSTHROUGH, False)
@example(b"POST", [b"X-HTTP-Method-Override: PATCH"], STORE + b"/ ", b"7", None, False)
def test_a_head_like_one_that_is_known_leaves_as_one_of_which_nothing_is(
    method: bytes,
    listed: list[bytes],
    pattern: bytes,
    what: bytes,
    scheme: Scheme | None,
    relinks: bool,
) -> None:
    heads = taught(heads_of(scheme, relinks=relinks), method, pattern, *listed)
    head = head_of(method, fill(pattern, what), *listed)
    anew = heads_of(scheme, relinks=relinks).find(head)
    expected = outcome(anew)
    for _ in range(3):
        known = heads.find(head)
        assert outcome(known) == expected
        if known is not None and anew is not None:
            assert known.links is known.plan.links
            groups = RateGroups(b"secret")
            assert groups.look_up(known.fare) == groups.look_up(anew.fare)


def test_a_head_is_written_from_the_second_like_it_once_its_fields_are_known() -> None:
    heads = heads_of()
    lengths = []
    for number in range(5):
        written(heads, STORE + b"/%d" % number)
        lengths.append(len(heads._parts._alike))
    assert lengths == [0, 0, 0, 1, 1]
    assert written(heads, STORE + b"/9")._plan is None
    assert written(heads, STORE + b"/9?a=1")._plan is not None


def test_the_plan_is_decided_when_it_is_asked_for_and_once() -> None:
    known = written(taught(heads_of(), b"GET", STORE + b"/ "), STORE + b"/9")
    assert known.plan.outbound.target == STORE + b"/9"
    assert known.plan is known.plan


def test_a_head_that_is_written_says_which_its_line_is_like() -> None:
    heads = taught(heads_of(), b"GET", STORE + b"/ ")
    first, other = written(heads, STORE + b"/8"), written(heads, STORE + b"/9")
    assert (first.asked.path, other.asked.path) == (STORE + b"/8", STORE + b"/9")
    assert first.asked.like is other.asked.like
    assert first.asked.like is not None
    assert first.asked.like.path == STORE + b"/3"


def test_nothing_is_kept_of_the_many_that_are_written() -> None:
    heads = taught(heads_of(), b"GET", STORE + b"/ ?a= ")
    before = sum(1 for _ in bytes_kept_by(heads))
    for number in range(200):
        written(heads, STORE + b"/%d?a=s3cr3t" % (1000 + number))
    assert sum(1 for _ in bytes_kept_by(heads)) == before
    assert not any(b"s3cr3t" in one for one in bytes_kept_by(heads))


def test_a_target_that_may_hold_a_secret_teaches_nothing() -> None:
    heads = taught(heads_of(), b"GET", STORE + b"/ ?authCode= ")
    assert len(heads._parts._fields) == 1
    assert len(heads._parts._alike) == 0


def test_nothing_is_kept_of_targets_that_are_like_no_other() -> None:
    heads = heads_of()
    for number in range(50):
        written(heads, STORE + b"/name-%d" % number)
    assert len(heads._parts._alike) == 0


def test_one_that_comes_again_is_kept_with_its_plan() -> None:
    heads = taught(heads_of(), b"GET", STORE + b"/ ")
    first, again, third = (written(heads, STORE + b"/9") for _ in range(3))
    assert first._plan is None
    assert again._plan is not None
    assert third is again


def test_heads_with_other_fields_or_another_method_are_not_alike() -> None:
    heads = taught(heads_of(), b"GET", STORE + b"/ ", b"Accept: a")
    taught(heads, b"POST", STORE, b"Accept: a")
    assert written(heads, STORE + b"/9", b"Accept: a")._plan is None
    assert written(heads, STORE + b"/9", b"Accept: b")._plan is not None
    assert written(heads, STORE + b"/9", b"Accept: a", method=b"POST")._plan is not None


@pytest.mark.parametrize("route", [b"/tenants/7", b"/tenants"])
def test_a_route_with_an_id_is_not_mistaken_for_its_neighbour(route: bytes) -> None:
    numbered = replace(DIGITAL, prefixes=(route,))
    heads = taught(KnownHeads(policy_of((numbered,)), HERE), b"GET", b"/tenants/7/ ")
    assert written(heads, b"/tenants/7/9").upstream == numbered.name
    known = heads.find(head_of(b"GET", b"/tenants/8/9"))
    assert (known is None) is (route == b"/tenants/7")

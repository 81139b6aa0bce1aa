"""gateway/engine/known_parts.py: which heads are put together, and what is kept for that."""

from dataclasses import replace

import pytest

from gateway.core.override import Tunnel
from gateway.engine.known_heads import KnownHeads
from gateway.policy.routes import Scheme
from tests.engine.knowing import PATH, head_of, heads_of, outcome
from tests.policy.world import HERE, policy_of
from tests.reached import bytes_kept_by


def test_callers_that_differ_in_credential_and_length_alone_are_known_by_one() -> None:
    heads = heads_of()
    for number in range(2000):
        listed = (b"Authorization: Bearer caller-%d" % number, b"Content-Length: %d" % (number + 1))
        known = heads.find(head_of(b"POST", PATH + b"/%d" % number, *listed))
        assert known is not None
        assert (known.length, known._plan is None) == (number + 1, number > 3)
    assert len(heads._parts._fields) == 1


LENGTHS = [(), (b"Content-Length: 0",), (b"Content-Length: 3",), (b"Content-Length: 70000",)]


@pytest.mark.parametrize("tunnel", ["off", "header"])
@pytest.mark.parametrize("before", LENGTHS)
@pytest.mark.parametrize("now", [*LENGTHS, (b"Content-Length: 115343361",)])
@pytest.mark.parametrize("kind", [b"application/json", b"text/plain"])
def test_a_body_of_another_length_leaves_with_its_own(
    before: tuple[bytes, ...], now: tuple[bytes, ...], tunnel: Tunnel, kind: bytes
) -> None:
    listed = (b"Content-Type: " + kind, b"X-HTTP-Method-Override: PUT")
    heads, anew = (heads_of(relinks=True, tunnel=tunnel) for _ in range(2))
    for number in range(4):
        assert heads.find(head_of(b"POST", PATH + b"/%d" % number, *listed, *before)) is not None
    head = head_of(b"POST", PATH + b"/9", *listed, *now)
    expected = outcome(anew.find(head))
    assert (expected is None) is (now not in LENGTHS)
    assert [outcome(heads.find(head)) for _ in range(4)] == [expected] * 4


@pytest.mark.parametrize("spare", range(-8, 9))
def test_the_limit_of_a_head_is_the_same_for_known_fields(spare: int) -> None:
    head = head_of(b"GET", PATH + b"/1", b"Authorization: Bearer s")
    policy = policy_of()
    rules = replace(policy.rules, max_head_bytes=len(head) + spare)
    heads, anew = (KnownHeads(replace(policy, rules=rules), HERE) for _ in range(2))
    for _ in range(4):
        heads.find(head_of(b"GET", PATH, b"Authorization: Bearer s"))
    assert outcome(heads.find(head)) == outcome(anew.find(head))


def test_fields_are_known_once_they_came_with_two_targets() -> None:
    heads = heads_of()
    counts = []
    for number in range(3):
        heads.find(
            head_of(b"GET", PATH + b"/%d" % number, b"Accept: a", b"Authorization: Bearer s")
        )
        counts.append(len(heads._parts._fields))
    assert counts == [0, 1, 1]
    heads.find(head_of(b"POST", PATH, b"Accept: a", b"Authorization: Bearer s"))
    assert len(heads._parts._fields) == 1


@pytest.mark.parametrize(
    "line",
    [
        b"X-Request-Id: r-1",
        b"traceparent: 00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01",
        b"X-My-Session: s3cr3t",
    ],
)
def test_fields_that_may_hold_a_secret_or_are_a_requests_own_are_not_kept(line: bytes) -> None:
    heads = heads_of()
    for number in range(4):
        assert heads.find(head_of(b"GET", PATH + b"/%d" % number, line)) is not None
    assert len(heads._parts._fields) == 0


def test_fields_that_come_with_a_callers_own_credential_are_not_kept() -> None:
    heads = heads_of(Scheme.PASSTHROUGH)
    for number in range(4):
        assert heads.find(head_of(b"GET", PATH + b"/%d" % number)) is not None
    assert len(heads._parts._fields) == 0


def test_a_target_that_is_too_long_is_the_other_lanes() -> None:
    policy = policy_of()
    heads = KnownHeads(replace(policy, rules=replace(policy.rules, max_target_bytes=64)), HERE)
    for number in range(3):
        assert heads.find(head_of(b"GET", PATH + b"/%d" % number)) is not None
    assert len(heads._parts._fields) == 1
    assert heads.find(head_of(b"GET", PATH + b"/" + b"x" * (63 - len(PATH)))) is not None
    assert heads.find(head_of(b"GET", PATH + b"/" + b"x" * (64 - len(PATH)))) is None


def test_no_credential_stays_with_the_fields_nor_what_the_targets_hold() -> None:
    heads = heads_of()
    for number in range(9):
        secret = b"s3cr3t-%d" % (number % 3)
        listed = (b"Authorization: Bearer " + secret, b"Cookie: " + secret, b"Content-Length: 3")
        target = PATH + b"?access_token=s3cr3t-%d" % number
        assert heads.find(head_of(b"POST", target, *listed)) is not None
    assert len(heads._parts._fields) == 1
    kept = list(bytes_kept_by(heads))
    assert kept
    assert not any(b"s3cr3t" in one for one in kept)


def test_of_a_target_that_others_are_like_the_path_is_kept_alone() -> None:
    heads = heads_of()
    for target in (b"/a", b"/b", b"/0?otp=s3cr3t", b"/1?otp=s3cr3t"):
        assert heads.find(head_of(b"GET", PATH + target)) is not None
    assert len(heads._parts._alike) == 1
    kept = list(bytes_kept_by(heads))
    assert PATH + b"/1" in kept
    assert not any(b"s3cr3t" in one for one in kept)

"""gateway/engine/known_heads.py: recalled or decided anew, it is the same; no secret stays."""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.message import RawHead
from gateway.core.plain_head import parse_plain_head
from gateway.core.seen import MOST_SEEN
from gateway.engine.events import Record
from gateway.engine.known import Known
from gateway.engine.known_heads import MOST_HEAD_BYTES, KnownHeads
from gateway.engine.recording import note_decision, note_head
from gateway.engine.server import Server
from gateway.errors import GatewayError
from gateway.pipeline import AnsweredHere, decide
from gateway.policy.forward import Plan
from gateway.policy.routes import Scheme
from tests.policy.world import HERE, policy_of
from tests.reached import bytes_kept_by
from tests.wire import running

PATH = b"/restapi/v1.0/account/~"


def head_of(line: bytes = b"GET " + PATH, *fields: bytes) -> bytes:
    return b"\r\n".join([line + b" HTTP/1.1", b"Host: localhost:8080", *fields, b"", b""])


def heads_of(scheme: Scheme = Scheme.BEARER) -> KnownHeads:
    return KnownHeads(policy_of(scheme=scheme), HERE)


def raw_of(head: bytes) -> RawHead:
    raw = parse_plain_head(head, HERE)
    assert raw is not None
    return raw


def found(heads: KnownHeads, head: bytes) -> Known:
    known = heads.find(head[:-4])
    assert known is not None
    return known


def outcome(known: Known | None) -> tuple[object, ...]:
    assert known is not None
    plan = known.plan
    request = plan.request
    decided = (plan.outbound, plan.scheme, plan.framing, request.method, request.findings)
    return (*decided, known.length, known.start, known.request_id, known.is_last, known.asked)


lines = st.sampled_from(
    [b"GET " + PATH, b"POST " + PATH + b"?_method=PUT", b"DELETE " + PATH + b"/x?a=1&a=2"]
)
fields = st.lists(
    st.sampled_from(
        [
            *(b"X-HTTP-Method-Override: PATCH", b"Accept: a, b", b"User-Agent: x/1"),
            *(b"Authorization: Bearer s3cr3t", b"X-Request-Id: r-1", b"Content-Length: 3"),
            *(b"X-My-Session: s3cr3t", b"Connection: close", b"Cookie: s3cr3t", b"x_auth_token: s"),
        ]
    ),
    max_size=4,
    unique=True,
)


@given(lines, fields, st.sampled_from(Scheme))
def test_a_head_that_was_seen_before_leaves_as_one_that_was_not(
    line: bytes, listed: list[bytes], scheme: Scheme
) -> None:
    heads, head = heads_of(scheme), head_of(line, *listed)
    first, other = heads.find(head[:-4]), heads_of(scheme).find(head[:-4])
    again = [heads.find(head[:-4]) for _ in range(3)]
    if first is None:
        assert [other, *again] == [None] * 4
        return
    assert [outcome(known) for known in (other, *again)] == [outcome(first)] * 4
    plan = decide(raw_of(head), policy_of(scheme=scheme), 0.0)
    assert isinstance(plan, Plan)
    assert first.plan.outbound == plan.outbound
    assert first.start + b"\r\n" == plan.outbound.render()
    assert first.length == (3 if b"Content-Length: 3" in listed else 0)
    assert first.is_last == (b"Connection: close" in listed)


def read(head: bytes) -> RawHead:
    """Read a head as aiohttp does, plain or not."""
    line, *lines = head[:-4].split(b"\r\n")
    method, target, version = line.split(b" ")
    pairs = [one.partition(b": ") for one in lines]
    fields = tuple((name, value) for name, _, value in pairs)
    return RawHead(method, target, version, fields, HERE)


def told_of(heads: KnownHeads, head: bytes, now: float) -> tuple[object, Record]:
    """Return what is decided, or the error; and the record."""
    raw, record = read(head), Record("r-1", 1.0)
    try:
        known = heads.recall(head)
        if known is None:
            decision, restore = heads.decide(raw, head, record, now)
        else:
            record.asked, restore = known.asked, known.restore
            decision = known.plan.due(now + heads.policy.first_byte_s)
    except GatewayError as error:
        return (error.code, error.message), record
    if isinstance(decision, AnsweredHere):
        return decision.allow, record
    sent = decision.outbound.render()
    said = (decision.scheme, decision.framing, decision.deadline, restore is None)
    return (sent, *said, decision.request.expects_continue), record


OTHERS = (
    b"Transfer-Encoding: chunked",
    b"Expect: 100-continue",
    b"Expect: x",
    b"Host: b",
    b"A: \xff",
)


@given(
    st.one_of(lines, st.sampled_from([b"HEAD " + PATH, b"OPTIONS *", b"GET /nowhere"])),
    fields,
    st.lists(st.sampled_from(OTHERS), max_size=2),
    st.sampled_from(Scheme),
)
def test_a_parsed_head_is_decided_as_if_it_were_new(
    line: bytes, listed: list[bytes], others: list[bytes], scheme: Scheme
) -> None:
    heads, head = heads_of(scheme), head_of(line, *listed, *others)
    raw = read(head)
    expected = Record("r-1", 1.0)
    note_head(expected.asked, raw)
    with suppress(GatewayError):
        note_decision(expected.asked, decide(raw, policy_of(scheme=scheme), 7.0))
    first = told_of(heads_of(scheme), head, 7.0)[0]
    for _ in range(4):
        outcome, record = told_of(heads, head, 7.0)
        assert outcome == first
        assert record == expected
        # What was learned here is not for the other lane, which may see fewer heads.
        told_of(heads, head_of(line, *listed, *others, b"X-Else: 1"), 9.0)


def test_parsed_heads_that_come_again_are_recalled_without_their_credentials() -> None:
    heads = heads_of()
    head = head_of(b"GET " + PATH, b"Transfer-Encoding: chunked", b"Authorization: Bearer s")
    for _ in range(2):
        assert heads.recall(head) is None
        heads.decide(read(head), head, Record("r", 0.0), 1.0)
    known = heads.recall(head)
    assert known is not None
    assert [name for name, _ in known.plan.request.fields] == [b"Host", b"Transfer-Encoding"]
    other = head.replace(b"Bearer s", b"Bearer t")
    assert heads.recall(other) is None
    heads.decide(read(other), other, Record("r", 4.0), 4.0)
    assert len(heads._memo) == 1


@pytest.mark.parametrize("line", [b"HEAD " + PATH, b"GET " + PATH])
def test_what_one_lane_has_learned_is_not_for_the_other(line: bytes) -> None:
    head = head_of(line)
    heads = heads_of()
    for _ in range(2):
        heads.decide(read(head), head, Record("r", 0.0), 1.0)
    known = heads.recall(head)
    assert known is not None
    assert heads.find(head[:-4]) is not known
    fast = heads_of()
    for _ in range(3):
        fast.find(head[:-4])
    assert fast.recall(head) is None


def test_a_long_head_is_not_kept() -> None:
    heads, head = heads_of(), head_of(b"GET " + PATH, b"A: " + b"b" * MOST_HEAD_BYTES)
    for _ in range(3):
        heads.decide(read(head), head, Record("r", 0.0), 1.0)
    assert heads.recall(head) is None


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        (head_of(), True),
        (head_of(b"GET " + PATH, b"Authorization: Bearer s3cr3t"), True),
        (head_of(b"GET " + PATH, b"X-Request-Id: r-1"), False),
        (
            head_of(b"GET " + PATH, b"traceparent: 00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01"),
            False,
        ),
        (head_of(b"GET " + PATH, b"X-My-Session: s3cr3t"), False),
        (head_of(b"GET /restapi/v1.0/account/~/telephony/sessions/s-1"), True),
        (head_of(b"GET " + PATH + b"?sessions=s3cr3t"), False),
        (head_of(b"GET " + PATH + b"?access_token=s3cr3t"), False),
        (head_of(b"GET " + PATH + b"?acc%65ss_t%6Fken=s3cr3t"), False),
        (head_of(b"GET " + PATH + b"?code=s3cr3t"), False),
        (head_of(b"GET " + PATH, b"X-JWT: s3cr3t"), False),
        (head_of(b"GET " + PATH, *[b"A: b"] * 64), False),
    ],
)
def test_what_may_hold_a_secret_is_not_kept(head: bytes, kept: bool) -> None:
    heads = heads_of()
    assert found(heads, head) is not found(heads, head)
    assert (found(heads, head) is found(heads, head)) is kept


@pytest.mark.parametrize("is_main", [True, False])
def test_no_credential_stays_of_a_head_that_is_kept_as_it_was_read(is_main: bool) -> None:
    heads = heads_of()
    head = head_of(b"POST " + PATH, b"Authorization: Bearer s3cr3t", b"Cookie: s3cr3t")
    for _ in range(2):
        if is_main:
            heads.decide(raw_of(head), head, Record("r", 0.0), 1.0)
        else:
            found(heads, head)
    known = heads.recall(head) if is_main else found(heads, head)
    assert known is not None
    assert known is (heads.recall(head) if is_main else found(heads, head))
    kept = list(bytes_kept_by(heads))
    assert PATH in kept
    assert not any(b"s3cr3t" in one for one in kept)
    assert known.fare.permitted is known.plan.permitted


def test_no_credential_of_a_callers_stays_in_memory() -> None:
    heads = heads_of()
    for number in (0, 1, 2) * 3:
        secret = b"s3cr3t-%d" % number
        found(
            heads, head_of(b"GET " + PATH, b"Authorization: Bearer " + secret, b"Cookie: " + secret)
        )
    kept = list(bytes_kept_by(heads))
    assert kept
    assert not any(b"s3cr3t" in one for one in kept)


@pytest.mark.parametrize(
    "head",
    [
        head_of(b"GET /nowhere"),
        head_of(b"HEAD " + PATH),
        head_of(b"OPTIONS " + PATH),
        head_of(b"POST /restapi/oauth/token"),
        head_of(b"GET " + PATH, b"X-HTTP-Method-Override: PUT"),
        head_of(b"GET " + PATH, b"X-Request-Id: not plain"),
        head_of(b"GET " + PATH, b"Transfer-Encoding: chunked"),
        head_of(b"GET " + PATH, b"A: " + b"b" * MOST_HEAD_BYTES),
        head_of(b"OPTIONS " + PATH, b"Max-Forwards: 0"),
    ],
)
def test_what_is_refused_or_rare_is_the_other_lanes(head: bytes) -> None:
    assert heads_of().find(head[:-4]) is None


def test_the_record_says_what_the_head_did() -> None:
    heads = heads_of()
    head = head_of(b"POST " + PATH + b"?_method=PUT&view=a", b"User-Agent: x/1")
    asked = found(heads, head).asked
    assert (asked.wire_method, asked.method, asked.path) == ("POST", "PUT", PATH)
    assert (asked.user_agent, asked.query_names) == (b"x/1", ("view",))
    assert (asked.caller, asked.upstream) == ("local", "platform")
    found(heads, head)
    assert found(heads, head).asked is found(heads, head).asked


def test_what_is_remembered_of_heads_that_come_once_is_bounded() -> None:
    heads = heads_of()
    for number in range(MOST_SEEN + 10):
        found(heads, head_of(b"GET " + PATH + b"/%d" % number))
    # One is that of their fields, which all of them have.
    assert len(heads._seen) == 10 + 1
    assert len(heads._memo) == 0
    assert len(heads._parts._fields) == 1


async def test_a_reload_forgets_what_was_known_whatever_comes_next() -> None:
    async with running("http://127.0.0.1:1", "engine.fast_lane=true") as gateway:
        gate = gateway.gateway.gate
        lane = Server(gate, HERE).lane
        assert lane.find(head_of()) is not None
        await gate.change(replace(gate.outfit, policy=policy_of(), fast_lane=False))
        assert lane.find(head_of()) is None
        assert lane.heads().policy is gate.outfit.policy

"""An explanation never says other than what would happen, and never shows a secret."""

import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.assume import load_assuming
from gateway.cli.explain_text import render_text
from gateway.cli.explanation import Answered, Forwarded, RefusedAt, explain
from gateway.config.compile import compile_policy
from gateway.core.headers import Field
from gateway.core.message import Listener, RawHead
from gateway.errors import Refused
from gateway.pipeline import AnsweredHere, Policy, decide
from gateway.policy.forward import Plan

SECRET = b"s3cr3t"
HOST = (b"Host", b"127.0.0.1:8080")
SETTINGS = {
    "owned": (),
    "passthrough": ("credentials.ringcentral.grant=passthrough",),
    "repair": ("query.mode=repair", "query.plus=repair", "tunnel.accept=[]"),
}
METHODS = st.sampled_from([b"GET", b"POST", b"OPTIONS", b"DELETE", b"TRACE", b"get", b"", b"\xff"])
ORIGINS = st.sampled_from(
    [
        *(b"", b"", b"", b"http://127.0.0.1:8080", b"https://platform.ringcentral.com"),
        *(b"http://evil", b"http://u:" + SECRET + b"@h", b"*"),
    ]
)
PATHS = st.sampled_from(
    [
        *(b"/restapi", b"/v1.0", b"/account/~", b"/oauth/token", b"/media", b"/api/auth"),
        *(b"/..", b"/%61", b"//", b"|", b"\xff", b"#", b" ", b"%", b"/recording/1/content"),
        *(b"%25%32%35%32%35%36%31", b"/%61pi/auth/logout/" + SECRET),
    ]
)
PAIRS = st.sampled_from(
    [
        *(b"", b"_method=", b"_method=PUT", b"%5Fmethod=delete", b"a=|", b"\xff", b"a=%", b"#"),
        *(b"access_token=" + SECRET, b"%61ccess_token=" + SECRET, b"to=+16505550100", b"a"),
    ]
)
FIELDS = st.sampled_from(
    [
        *((b"Host", b"127.0.0.1:8080"), (b"Host", b"evil"), (b"Authorization", SECRET)),
        *((b"Cookie", SECRET), (b"X-Auth-Token", SECRET), (b"X-HTTP-Method-Override", b"put")),
        *((b"X-HTTP-Method", b"PUT"), (b"Content-Length", b"3"), (b"Content-Length", b"x")),
        *((b"Transfer-Encoding", b"chunked"), (b"Expect", b"100-continue"), (b"Expect", b"x")),
        *((b"Max-Forwards", b"0"), (b"Max-Forwards", b"7"), (b"Max-Forwards", b"x")),
        *((b"Connection", b"Cookie, X-A"), (b"X-A", b"1"), (b"X_A", b"1"), (b"a b", b"1")),
        *((b"via", b"1.0 x"), (b"X-A", b"\xff\x1b"), (b"Origin", b"https://evil")),
    ]
)


@functools.cache
def policy_of(name: str) -> Policy:
    loaded, _ = load_assuming([], SETTINGS[name], {})
    return compile_policy(loaded.config)


def build(
    method: bytes, origin: bytes, path: list[bytes], pairs: list[bytes], fields: list[Field]
) -> RawHead:
    query = b"?" + b"&".join(pairs) if pairs else b""
    target = origin + b"".join(path) + query
    return RawHead(method, target, b"HTTP/1.1", (HOST, *fields), Listener(8080, True))


HEADS = st.builds(
    build,
    METHODS,
    ORIGINS,
    st.lists(PATHS, max_size=4),
    st.lists(PAIRS, max_size=4),
    st.lists(FIELDS, max_size=4),
)


def verdict_of(raw: RawHead, policy: Policy) -> Plan | AnsweredHere | Refused:
    try:
        return decide(raw, policy, 0.0)
    except Refused as error:
        return error


@given(HEADS, st.sampled_from(sorted(SETTINGS)))
def test_the_outcome_is_the_pipelines(raw: RawHead, name: str) -> None:
    policy = policy_of(name)
    outcome = explain(raw, policy).outcome
    match verdict_of(raw, policy):
        case Refused() as error:
            assert isinstance(outcome, RefusedAt)
            assert outcome.code == error.code
            assert outcome.message in (error.message, "…")
            assert outcome.stage
        case AnsweredHere():
            assert isinstance(outcome, Answered)
        case Plan() as plan:
            assert isinstance(outcome, Forwarded)
            assert (outcome.method, outcome.upstream) == (plan.request.method, plan.upstream.name)


@given(HEADS, st.sampled_from(sorted(SETTINGS)))
def test_no_secret_is_shown_and_all_is_printable(raw: RawHead, name: str) -> None:
    text = render_text(explain(raw, policy_of(name)))
    assert SECRET.decode() not in text
    assert text.replace("\n", "").isprintable()


def test_every_field_that_left_or_stayed_is_accounted_for() -> None:
    fields = (HOST, (b"Cookie", b"a"), (b"Accept", b"*/*"), (b"via", b"1.0 x"), (b"X_Cookie", b""))
    raw = RawHead(b"GET", b"/restapi", b"HTTP/1.1", fields, Listener(8080, True))
    explained = explain(raw, policy_of("owned"))
    assert isinstance(explained.outcome, Forwarded)
    told = {step.about for step in explained.steps if step.stage in ("drop", "set")}
    sent = {line.partition(":")[0] for line in explained.outcome.head[1:]}
    assert {name.decode() for name, _ in fields} <= told | sent
    assert told - sent == {"Cookie"}
    assert sent - told == {"Accept", "via", "X_Cookie"}


@pytest.mark.parametrize(
    ("fields", "stage"),
    [
        (((b"a b", b"c"), (b"Content-Length", b"x")), "head"),
        (((b"Content-Length", b"x"),), "framing"),
        (((b"Expect", b"x"),), "head"),
        (((b"Origin", b"https://evil"), (b"X-HTTP-Method-Override", b"PUT")), "caller"),
        (((b"X-HTTP-Method", b"PUT"),), "override"),
    ],
)
def test_a_refusal_names_the_stage_that_made_it(
    fields: tuple[tuple[bytes, bytes], ...], stage: str
) -> None:
    raw = RawHead(b"POST", b"/restapi", b"HTTP/1.1", (HOST, *fields), Listener(8080, True))
    outcome = explain(raw, policy_of("owned")).outcome
    assert isinstance(outcome, RefusedAt)
    assert outcome.stage == stage

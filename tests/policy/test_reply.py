"""gateway/policy/reply.py."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.core.framing import EMPTY, NO_BODY, UNTIL_CLOSE, Framing, Kind
from gateway.core.headers import Fields
from gateway.core.message import ReplyHead
from gateway.policy.forward import Plan
from gateway.policy.reply import ReplyHeads
from gateway.policy.routes import Scheme
from tests.policy.world import fields_of, plan_of, reply_of
from tests.replies import read_lines, reply_head, reply_like

PATH = "/restapi/v1.0/account/~"
ENDING = ((b"Via", b"1.1 rc-gateway"), (b"X-Request-Id", b"ours"))
READ = plan_of("GET", PATH)


def render(plan: Plan, head: ReplyHead, request_id: str, *, close: bool) -> tuple[bytes, Framing]:
    pieces, framing = ReplyHeads(plan).render(head, request_id, close=close)
    return b"".join(pieces), framing


def reply_fields(plan: Plan, head: ReplyHead, request_id: str) -> Fields:
    """Return the fields as a reader of their lines sees them."""
    whole, framing = render(plan, head, request_id, close=False)
    start, end = (
        b"HTTP/1.1 %d %b\r\n" % (head.status, head.reason),
        ReplyHeads(plan).frame(head),
    )
    assert framing == end[0]
    assert whole.startswith(start)
    assert whole.endswith(end[1] + b"\r\n")
    return read_lines(whole[len(start) : len(whole) - len(end[1]) - 2])


def passing_fields(fields: Fields) -> Fields:
    """Return what stands before the fields that every reply ends with."""
    assert fields[-2:] == ENDING
    return fields[:-2]


def test_the_vendors_fields_pass_in_order_with_their_bytes() -> None:
    lines = """RCRequestId: 4a5b
X-Rate-Limit-Group: light
X-Rate-Limit-Limit: 50
X-Rate-Limit-Remaining: 49
X-Rate-Limit-Window: 60
Retry-After: 3
Content-Language: en-US
ETag: "a"
Content-Encoding: gzip
Content-Type: application/json;charset=UTF-8
Set-Cookie: a=1
set-cookie: b=2
Location: https://platform.ringcentral.com/restapi/v1.0
WWW-Authenticate: Bearer
X-Empty:
X-Name: café"""
    assert passing_fields(reply_fields(READ, reply_of(200, lines), "ours")) == fields_of(lines)


def test_values_that_are_not_utf_8_pass() -> None:
    head = reply_head(200, b"OK", b"HTTP/1.1", ((b"X-Name", b"\xff\xfe"),), NO_BODY)
    assert passing_fields(reply_fields(READ, head, "ours")) == head.fields


def test_a_percent_sign_in_a_name_or_value_is_one() -> None:
    lines = "100%b: 100%b\n%: %%\n%d%s: x"
    assert passing_fields(reply_fields(READ, reply_of(200, lines), "ours")) == fields_of(lines)


@pytest.mark.parametrize(
    "line",
    [
        *("Connection: close", "Keep-Alive: timeout=5", "Proxy-Connection: keep-alive"),
        *("Transfer-Encoding: chunked", "TE: trailers", "Trailer: X-Sum", "Upgrade: h2c"),
        *("Proxy-Authenticate: Basic", "Proxy-Authentication-Info: x", "HTTP2-Settings: x"),
        "Content-Length: 3",
    ],
)
def test_what_ends_at_this_hop_and_framing_do_not_pass(line: str) -> None:
    assert passing_fields(reply_fields(READ, reply_of(200, line), "ours")) == ()
    asked_by_page = plan_of("GET", PATH, "Origin: null")
    assert passing_fields(reply_fields(asked_by_page, reply_of(200, line), "ours")) == ()


def test_what_upstreams_connection_names_ends_here() -> None:
    lines = "X-Hop: 1\nConnection: close, X-Hop\nconnection: x-second\nX-Second: 1\nX-Third: 1"
    fields = reply_fields(READ, reply_of(200, lines), "ours")
    assert passing_fields(fields) == ((b"X-Third", b"1"),)


@pytest.mark.parametrize("name", ["X-Gateway-Error", "x-gateway-error", "X-Request-Id"])
def test_upstream_cannot_speak_for_the_gateway(name: str) -> None:
    assert passing_fields(reply_fields(READ, reply_of(502, f"{name}: x"), "ours")) == ()


def test_our_via_follows_upstreams() -> None:
    fields = reply_fields(READ, reply_of(200, "Via: 1.1 edge"), "ours")
    assert fields == ((b"Via", b"1.1 edge"), *ENDING)


CORS = """Access-Control-Allow-Origin: *
access-control-allow-credentials: true
Access-Control-Expose-Headers: RCRequestId
Access-Control-Anything-New: x"""


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:8080", ""])
def test_a_page_is_not_told_that_it_may_read(method: str, origin: str) -> None:
    plan = plan_of(method, PATH, f"oRIGIN: {origin}")
    fields = reply_fields(plan, reply_of(200, f"{CORS}\nVary: Origin"), "ours")
    assert passing_fields(fields) == ((b"Vary", b"Origin"),)


def test_a_program_that_sent_no_origin_sees_upstreams_answer() -> None:
    fields = reply_fields(READ, reply_of(200, CORS), "ours")
    assert passing_fields(fields) == fields_of(CORS)


@pytest.mark.parametrize(
    ("scheme", "status", "passes"),
    [
        (Scheme.BEARER, 401, False),
        (Scheme.X_AUTH_TOKEN, 401, False),
        (Scheme.PASSTHROUGH, 401, True),
        (Scheme.NONE, 401, True),
        (Scheme.BEARER, 403, True),
        (Scheme.BEARER, 200, True),
    ],
)
def test_a_challenge_that_the_caller_cannot_answer_does_not_pass(
    scheme: Scheme, status: int, passes: bool
) -> None:
    lines = 'WWW-Authenticate: Basic realm="RingCentral REST API"\nwww-authenticate: Bearer'
    fields = reply_fields(plan_of("GET", PATH, scheme=scheme), reply_of(status, lines), "ours")
    assert passing_fields(fields) == (fields_of(lines) if passes else ())


@pytest.mark.parametrize(
    ("target", "lines", "tunnelled"),
    [
        (PATH, "", False),
        (f"{PATH}?_method=DELETE", "", True),
        (PATH, "X-HTTP-Method-Override: PUT", True),
        (PATH, "X-HTTP-Method-Override: POST", False),
    ],
)
def test_the_reply_to_a_tunnelled_request_is_not_stored(
    target: str, lines: str, tunnelled: bool
) -> None:
    fields = reply_fields(plan_of("POST", target, lines), reply_of(200), "ours")
    assert passing_fields(fields) == (((b"Cache-Control", b"no-store"),) if tunnelled else ())


@pytest.mark.parametrize("line", ["Cache-Control: max-age=60", "cache-control: no-cache"])
def test_upstreams_own_cache_control_stands(line: str) -> None:
    plan = plan_of("POST", f"{PATH}?_method=PUT")
    assert passing_fields(reply_fields(plan, reply_of(200, line), "ours")) == fields_of(line)


def test_a_cache_control_that_ended_at_this_hop_is_none() -> None:
    plan = plan_of("POST", f"{PATH}?_method=PUT")
    reply = reply_of(200, "Cache-Control: max-age=60\nConnection: cache-control")
    fields = reply_fields(plan, reply, "ours")
    assert passing_fields(fields) == ((b"Cache-Control", b"no-store"),)


@pytest.mark.parametrize(
    ("version", "framing", "close", "line"),
    [
        ("1.1", EMPTY, False, b""),
        ("1.1", EMPTY, True, b"Connection: close"),
        ("1.1", UNTIL_CLOSE, False, b""),
        ("1.0", EMPTY, False, b"Connection: keep-alive"),
        ("1.0", EMPTY, True, b"Connection: close"),
        ("1.0", UNTIL_CLOSE, False, b"Connection: close"),
    ],
)
def test_the_caller_is_told_whether_the_connection_stays(
    version: str, framing: Framing, close: bool, line: bytes
) -> None:
    plan, reply = plan_of("GET", PATH, version=version), reply_of(200, "", framing)
    answer, _ = render(plan, reply, "ours", close=close)
    lines = answer.split(b"\r\n")
    assert [one for one in lines if one.startswith(b"Connection")] == ([line] if line else [])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Server: a", "Server: a\nWWW-Authenticate: Basic"]),
            st.sampled_from(["keep-alive", "server"]),
            st.sampled_from([200, 401, 205]),
            st.sampled_from([UNTIL_CLOSE, Framing(Kind.LENGTH, 7)]),
            st.booleans(),
        ),
        max_size=20,
    ),
    st.sampled_from([*Scheme]),
)
def test_what_one_reply_had_is_not_taken_for_what_the_next_one_has(
    replies: list[tuple[str, str, int, Framing, bool]], scheme: Scheme
) -> None:
    plan = plan_of("POST", f"{PATH}?_method=PUT", scheme=scheme)
    heads = ReplyHeads(plan)
    for lines, listed, status, framing, close in replies:
        head = reply_of(status, f"{lines}\nConnection: {listed}", framing)
        pieces, left = heads.render(head, "ours", close=close)
        assert (b"".join(pieces), left) == render(plan, head, "ours", close=close)


def test_the_answer_begins_with_our_version_and_upstreams_reason() -> None:
    head = reply_head(
        404, b"Not \xe9", b"HTTP/1.0", ((b"A", b"1"), (b"b", b""), (b"A", b"2")), EMPTY
    )
    answer, _ = render(READ, head, "ours", close=False)
    assert answer.startswith(b"HTTP/1.1 404 Not \xe9\r\nA: 1\r\nb: \r\nA: 2\r\n")
    assert answer.endswith(b"\r\n\r\n")


FRAMED = frozenset({b"content-length", b"transfer-encoding", b"connection", b"x-gateway-error"})
LINES = st.lists(
    st.sampled_from(
        [
            *("Connection: close", "Connection: x-hop, via", "X-Hop: 1", "Via: 1.0 a"),
            *("Content-Length: 3", "Transfer-Encoding: chunked", "Access-Control-Max-Age: 1"),
            *("X-Gateway-Error: x", "X-Request-Id: theirs", "WWW-Authenticate: Basic", "ETag: a"),
        ]
    ),
    max_size=8,
).map("\n".join)


@given(LINES, st.sampled_from([200, 401, 304]), st.sampled_from([*Scheme]))
def test_whatever_upstream_says_the_caller_gets_one_request_id_and_no_framing(
    lines: str, status: int, scheme: Scheme
) -> None:
    plan = plan_of("GET", PATH, "Origin: null", scheme=scheme)
    fields = reply_fields(plan, reply_of(status, lines), "ours")
    names = [name.lower() for name, _ in fields]
    assert FRAMED.isdisjoint(names)
    assert [value for name, value in fields if name.lower() == b"x-request-id"] == [b"ours"]
    assert not any(name.startswith(b"access-control-") for name in names)
    assert set(passing_fields(fields)) <= set(fields_of(lines))


@given(LINES, st.sampled_from([200, 204, 304, 401]), st.sampled_from([*Scheme]), st.booleans())
def test_lines_that_pass_as_they_are_say_what_their_fields_would(
    lines: str, status: int, scheme: Scheme, is_for_page: bool
) -> None:
    if is_for_page:
        plan = plan_of("GET", PATH, "Origin: null", scheme=scheme)
    else:
        plan = plan_of("POST", f"{PATH}?_method=PUT", scheme=scheme)
    fields = fields_of(lines or "Server: a")
    block = b"".join(b"%b: %b\r\n" % field for field in fields)
    raw = b"HTTP/1.1 %d Some reason\r\n%b\r\n" % (status, block)
    like = reply_like(raw, fields)
    assume(like is not None)
    assert like is not None
    bare = replace(like, lines=())
    answers = [render(plan, head, "ours", close=False) for head in (like, bare)]
    assert answers[0] == answers[1]

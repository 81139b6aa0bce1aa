"""gateway/policy/reply.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.framing import CHUNKED, EMPTY, NO_BODY, UNTIL_CLOSE, Framing, Kind, frame_reply
from gateway.core.headers import Fields
from gateway.core.message import ReplyHead
from gateway.policy.forward import Plan
from gateway.policy.reply import frame_for_caller, render_reply_fields
from gateway.policy.routes import Scheme
from tests.policy.world import fields_of, plan_of, reply_of
from tests.replies import reply_head

PATH = "/restapi/v1.0/account/~"
ENDING = ((b"Via", b"1.1 rc-gateway"), (b"X-Request-Id", b"ours"))
READ = plan_of("GET", PATH)


def reply_fields(plan: Plan, head: ReplyHead, request_id: bytes) -> Fields:
    """Return the fields as a reader of their lines sees them."""
    return read_lines(render_reply_fields(plan, head, request_id))


def framing_and_fields(plan: Plan, head: ReplyHead) -> tuple[Framing, Fields]:
    framing, line = frame_for_caller(plan, head)
    return framing, read_lines(line)


def read_lines(lines: bytes) -> Fields:
    *whole, rest = lines.split(b"\r\n")
    assert rest == b""
    pairs = [line.partition(b": ") for line in whole]
    return tuple((name, value) for name, _, value in pairs)


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
    assert passing_fields(reply_fields(READ, reply_of(200, lines), b"ours")) == fields_of(lines)


def test_values_that_are_not_utf_8_pass() -> None:
    head = reply_head(200, b"OK", b"HTTP/1.1", ((b"X-Name", b"\xff\xfe"),), NO_BODY)
    assert passing_fields(reply_fields(READ, head, b"ours")) == head.fields


def test_a_percent_sign_in_a_name_or_value_is_one() -> None:
    lines = "100%b: 100%b\n%: %%\n%d%s: x"
    assert passing_fields(reply_fields(READ, reply_of(200, lines), b"ours")) == fields_of(lines)


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
    assert passing_fields(reply_fields(READ, reply_of(200, line), b"ours")) == ()
    asked_by_page = plan_of("GET", PATH, "Origin: null")
    assert passing_fields(reply_fields(asked_by_page, reply_of(200, line), b"ours")) == ()


def test_what_upstreams_connection_names_ends_here() -> None:
    lines = "X-Hop: 1\nConnection: close, X-Hop\nconnection: x-second\nX-Second: 1\nX-Third: 1"
    fields = reply_fields(READ, reply_of(200, lines), b"ours")
    assert passing_fields(fields) == ((b"X-Third", b"1"),)


@pytest.mark.parametrize("name", ["X-Gateway-Error", "x-gateway-error", "X-Request-Id"])
def test_upstream_cannot_speak_for_the_gateway(name: str) -> None:
    assert passing_fields(reply_fields(READ, reply_of(502, f"{name}: x"), b"ours")) == ()


def test_our_via_follows_upstreams() -> None:
    fields = reply_fields(READ, reply_of(200, "Via: 1.1 edge"), b"ours")
    assert fields == ((b"Via", b"1.1 edge"), *ENDING)


CORS = """Access-Control-Allow-Origin: *
access-control-allow-credentials: true
Access-Control-Expose-Headers: RCRequestId
Access-Control-Anything-New: x"""


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:8080", ""])
def test_a_page_is_not_told_that_it_may_read(method: str, origin: str) -> None:
    plan = plan_of(method, PATH, f"oRIGIN: {origin}")
    fields = reply_fields(plan, reply_of(200, f"{CORS}\nVary: Origin"), b"ours")
    assert passing_fields(fields) == ((b"Vary", b"Origin"),)


def test_a_program_that_sent_no_origin_sees_upstreams_answer() -> None:
    fields = reply_fields(READ, reply_of(200, CORS), b"ours")
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
    fields = reply_fields(plan_of("GET", PATH, scheme=scheme), reply_of(status, lines), b"ours")
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
    fields = reply_fields(plan_of("POST", target, lines), reply_of(200), b"ours")
    assert passing_fields(fields) == (((b"Cache-Control", b"no-store"),) if tunnelled else ())


@pytest.mark.parametrize("line", ["Cache-Control: max-age=60", "cache-control: no-cache"])
def test_upstreams_own_cache_control_stands(line: str) -> None:
    plan = plan_of("POST", f"{PATH}?_method=PUT")
    assert passing_fields(reply_fields(plan, reply_of(200, line), b"ours")) == fields_of(line)


def test_a_cache_control_that_ended_at_this_hop_is_none() -> None:
    plan = plan_of("POST", f"{PATH}?_method=PUT")
    reply = reply_of(200, "Cache-Control: max-age=60\nConnection: cache-control")
    fields = reply_fields(plan, reply, b"ours")
    assert passing_fields(fields) == ((b"Cache-Control", b"no-store"),)


@pytest.mark.parametrize(
    ("framing", "version", "left", "lines"),
    [
        (Framing(Kind.LENGTH, 42), "1.1", Framing(Kind.LENGTH, 42), "Content-Length: 42"),
        (Framing(Kind.LENGTH, 42), "1.0", Framing(Kind.LENGTH, 42), "Content-Length: 42"),
        (EMPTY, "1.1", EMPTY, "Content-Length: 0"),
        (CHUNKED, "1.1", CHUNKED, "Transfer-Encoding: chunked"),
        (CHUNKED, "1.0", UNTIL_CLOSE, ""),
        (UNTIL_CLOSE, "1.1", CHUNKED, "Transfer-Encoding: chunked"),
        (UNTIL_CLOSE, "1.0", UNTIL_CLOSE, ""),
        (NO_BODY, "1.1", NO_BODY, ""),
        (NO_BODY, "1.0", NO_BODY, ""),
    ],
)
def test_a_body_leaves_in_a_framing_that_the_caller_can_read(
    framing: Framing, version: str, left: Framing, lines: str
) -> None:
    plan = plan_of("GET", PATH, version=version)
    # A length is taken from the framing that was believed, never from a field.
    reply = reply_of(200, "" if framing is NO_BODY else "Content-Length: 7", framing)
    assert framing_and_fields(plan, reply) == (left, fields_of(lines))


@pytest.mark.parametrize(
    ("method", "status", "lines", "declared"),
    [
        ("HEAD", 200, "content-length: 42", "Content-Length: 42"),
        ("HEAD", 200, "Transfer-Encoding: chunked", ""),
        ("HEAD", 200, "", ""),
        ("HEAD", 204, "Content-Length: 0", ""),
        ("GET", 204, "Content-Length: 0", ""),
        ("GET", 204, "Content-Length: 42", ""),
        ("DELETE", 204, "Transfer-Encoding: chunked", ""),
        ("GET", 304, "Content-Length: 42", "Content-Length: 42"),
        ("GET", 304, "", ""),
        ("HEAD", 304, "Content-Length: 42", "Content-Length: 42"),
        ("GET", 103, "Content-Length: 42", ""),
    ],
)
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_a_reply_without_a_body_declares_a_length_only_where_it_may(
    method: str, status: int, lines: str, declared: str, version: str
) -> None:
    fields = fields_of(lines)
    framing = frame_reply(fields, b"HTTP/1.1", method, status)
    reply = reply_head(status, b"", b"HTTP/1.1", fields, framing)
    plan = plan_of(method, PATH, version=version)
    assert framing_and_fields(plan, reply) == (NO_BODY, fields_of(declared))


@pytest.mark.parametrize(
    ("framing", "lines"),
    [
        (Framing(Kind.LENGTH, 42), "Content-Length: 42"),
        (EMPTY, "Content-Length: 0"),
        (CHUNKED, ""),
        (UNTIL_CLOSE, ""),
    ],
)
def test_a_head_that_left_as_get_is_answered_as_a_head(framing: Framing, lines: str) -> None:
    plan = plan_of("HEAD", PATH, tunnel="header")
    reply = reply_of(200, lines, framing)
    assert framing_and_fields(plan, reply) == (NO_BODY, fields_of(lines))


@pytest.mark.parametrize("framing", [NO_BODY, EMPTY, Framing(Kind.LENGTH, 9), CHUNKED, UNTIL_CLOSE])
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_a_205_has_no_content_whatever_upstream_framed(framing: Framing, version: str) -> None:
    plan = plan_of("POST", PATH, version=version)
    reply = reply_of(205, "Content-Length: 9", framing)
    assert framing_and_fields(plan, reply) == (EMPTY, fields_of("Content-Length: 0"))


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
    fields = reply_fields(plan, reply_of(status, lines), b"ours")
    names = [name.lower() for name, _ in fields]
    assert FRAMED.isdisjoint(names)
    assert [value for name, value in fields if name.lower() == b"x-request-id"] == [b"ours"]
    assert not any(name.startswith(b"access-control-") for name in names)
    assert set(passing_fields(fields)) <= set(fields_of(lines))

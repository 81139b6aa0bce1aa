"""What the parser found, or forgave, becomes our refusal, which quotes nothing."""

import asyncio
from collections.abc import Iterator

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpRequestParser, RawRequestMessage
from aiohttp.http_exceptions import BadHttpMethod, BadStatusLine, InvalidURLError, LineTooLong

from gateway.core.framing import CHUNKED, NO_BODY, Framing, Kind
from gateway.engine.flaws import as_sent, as_taken, find_forgiven, reframe, refusal_of
from gateway.errors import (
    BadRequest,
    GatewayError,
    MethodNotAllowed,
    NotPermitted,
    RequestTimeout,
    TargetTooLong,
)

BREW = b"BREW / HTTP/1.1\r\n"


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def parse(loop: asyncio.AbstractEventLoop, head: bytes) -> RawRequestMessage:
    ((message, _),), _, _ = HttpRequestParser(BaseProtocol(loop), loop, 65536).feed_data(head)
    return message


@pytest.mark.parametrize(
    ("exc", "head", "kind", "message"),
    [
        (LineTooLong(b"secret", 64), b"", TargetTooLong, "the request-target is over 64 bytes"),
        (BadHttpMethod("secret"), BREW, MethodNotAllowed, "BREW is not forwarded"),
        (BadHttpMethod("secret"), b"BREW /\r\n", BadRequest, "the request line is malformed"),
        (BadHttpMethod("secret"), b"\x16\x03", BadRequest, "this port speaks HTTP, not HTTPS"),
        (BadStatusLine("secret"), b"GET", BadRequest, "the request line is malformed"),
        (InvalidURLError("secret"), b"GET", BadRequest, "the request-target is malformed"),
        (ValueError("secret"), b"GET", BadRequest, "the request is malformed: it is not HTTP/1.1"),
    ],
)
def test_a_flaw_becomes_a_refusal_that_quotes_nothing(
    exc: Exception, head: bytes, kind: type[GatewayError], message: str
) -> None:
    refusal = refusal_of(exc, head, 64)
    assert type(refusal) is kind
    assert refusal.message == message


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (b"/a?b=c d", "the query has ' ' at byte 3; send it as %20"),
        (b"/a?b=HTTP/1.1 d&e", "the query has ' ' at byte 10; send it as %20"),
        (b"/a b", "the path has ' ' at byte 2; send it as %20"),
        (b"/a\tb?c d", "the path has '\\t' at byte 2; send it as %09"),
        (b"/a?b\x01", "the query has '\\x01' at byte 1; send it as %01"),
    ],
)
def test_a_byte_that_no_target_may_hold_is_told_with_its_place(
    loop: asyncio.AbstractEventLoop, target: bytes, message: str
) -> None:
    head = b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % target
    with pytest.raises((BadStatusLine, InvalidURLError)) as caught:
        parse(loop, head)
    refusal = refusal_of(caught.value, head, 64)
    assert (type(refusal), refusal.message) == (BadRequest, message)


def test_a_refusal_of_ours_stays_what_it_is() -> None:
    for refusal in (RequestTimeout("late"), NotPermitted("no")):
        assert refusal_of(refusal, b"\x16", 64) is refusal


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"GET / HTTP/1.1\r\nA: b\x01\r\n\r\n", "Invalid header value char"),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
            "Request has invalid `Transfer-Encoding`",
        ),
    ],
)
def test_the_reason_of_the_parser_is_told(
    loop: asyncio.AbstractEventLoop, head: bytes, reason: str
) -> None:
    with pytest.raises(Exception, match=reason) as caught:
        parse(loop, head)
    refusal = refusal_of(caught.value, head, 64)
    assert refusal.message == f"the request is malformed: {reason}"


@pytest.mark.parametrize(
    ("line", "good"),
    [
        (b"GET /a?b HTTP/1.1", True),
        (b"GET http://a/b HTTP/1.0", True),
        (b"GET /\xc3\xa9 HTTP/1.1", True),
        (b"GET  / HTTP/1.1", False),
        (b"GET /  HTTP/1.1", False),
        (b"\r\nGET / HTTP/1.1", False),
    ],
)
def test_a_request_line_is_the_very_bytes_that_were_parsed(
    loop: asyncio.AbstractEventLoop, line: bytes, good: bool
) -> None:
    head = line + b"\r\nHost: a\r\n\r\n"
    try:
        message = parse(loop, head)
    except (BadStatusLine, InvalidURLError):
        return
    flaw = find_forgiven(message, head)
    assert (flaw is None) is good
    assert flaw is None or flaw.message == "the request line is malformed"


@pytest.mark.parametrize(
    ("field", "framing"),
    [
        (b"Content-Length: 5", Framing(Kind.LENGTH, 5)),
        (b"Transfer-Encoding: chunked", CHUNKED),
        (b"A: b", NO_BODY),
        (b"Transfer-Encoding: gzip, chunked", None),
        (b"Content-Length: 0000000000000000000005", None),
    ],
)
def test_a_body_is_framed_by_our_own_reading(
    loop: asyncio.AbstractEventLoop, field: bytes, framing: Framing | None
) -> None:
    message = parse(loop, b"POST / HTTP/1.1\r\nHost: a\r\n" + field + b"\r\n\r\n")
    assert reframe(message) == framing


AGENTS = (
    (b"Host", b"h"),
    (b"User-Agent", b"a/1"),
    (b"user-AGENT", b"b/2"),
    (b"User-Agent_", b"c/3"),
    (b"X-User-Agent", b"d/4"),
    (b"User-Agent", b"a/1"),
)


@pytest.mark.parametrize("target", [b"/a?user-agent:", "/\u00e9".encode()])
def test_a_user_agent_that_comes_again_is_a_field_like_any_other(
    loop: asyncio.AbstractEventLoop, target: bytes
) -> None:
    lines = [b"GET %b HTTP/1.1" % target, *(b"%b: %b" % field for field in AGENTS), b"", b""]
    head = b"\r\n".join(lines)
    # A first part has the whole request line.
    for cut in range(len(lines[0]) + 2, len(head)):
        parts = as_taken(head[:cut], head[:cut]) + as_taken(head[cut:], head)
        message = as_sent(parse(loop, parts), head)
        assert message.raw_headers == AGENTS, head[:cut]
        assert find_forgiven(message, head) is None


def test_what_is_no_part_of_a_head_stays_as_it_is() -> None:
    head = b"GET / HTTP/1.1\r\nUser-Agent: a\r\n\r\n"
    assert as_taken(b"\r\nUser-Agent: b\r\n", head) == b"\r\nUser-Agent: b\r\n"

"""What aiohttp's request parser found wrong, and what it should have.

The parser's texts quote the request, so none of them is passed on but llhttp's own
static reasons. A parser stops at the first flaw; the connection ends after the answer.
What it forgives is found by reading again: a request line must be the very bytes that
the parsed one would be written as, and a body must end where our framing says. Where it
refuses what our own rules take or judge by name, it gets a spelling that it takes, and the
message what was sent.

Rule: an exception of the parser's becomes a leaf of `Refused` here and nowhere else.
"""

from __future__ import annotations

import re

from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import BadHttpMethod, BadStatusLine, InvalidURLError, LineTooLong

from gateway.core.framing import Ambiguous, Framing, frame_request
from gateway.core.grammar import TCHAR
from gateway.core.headers import Fields
from gateway.core.query import Mode, QueryRules, check_query
from gateway.core.target import parse_target
from gateway.engine.boundary import MAX_METHOD_BYTES
from gateway.engine.incoming import target_of, version_of
from gateway.errors import (
    BadRequest,
    GatewayError,
    HeadTooLarge,
    MethodNotAllowed,
    Refused,
    RequestTimeout,
    TargetTooLong,
)

# RFC 9112 section 3: a request line whose method is a token that llhttp does not know.
_UNKNOWN_METHOD = re.compile(
    rb"(" + TCHAR + rb"{1,%d}) [^ \r\n]+ HTTP/1\.[01]\r\n" % MAX_METHOD_BYTES
)
# A request line whose target may hold what none may, blanks above all.
_ANY_TARGET = re.compile(TCHAR + rb"{1,%d} (/[^\r\n]*) HTTP/1\.[01]\r\n" % MAX_METHOD_BYTES)
# What no profile of a query takes is refused under any.
_ANY_QUERY = QueryRules(mode=Mode.OFF, plus=Mode.OFF)
# RFC 8446 section 5.1: a record of type handshake. RFC 9113 section 3.4: the client's preface.
_OTHER_PROTOCOLS = (
    (b"\x16", "this port speaks HTTP, not HTTPS"),
    (b"PRI * HTTP/2.0\r\n", "this port speaks HTTP/1.1, not HTTP/2"),
)
_REASON = re.compile(r"[A-Za-z'][A-Za-z0-9 '`/\-.,]{0,80}")
_OVER_ASCII = re.compile(rb"[\x80-\xff]")
_AGENT = re.compile(rb"\r\nuser-agent:", re.IGNORECASE)
_ANOTHER_AGENT = b"user-agent_"
_TOO_MANY = "Too many headers received"
_BAD_LINE = "the request line is malformed"


def refusal_of(exc: BaseException, head: bytes, max_target_bytes: int) -> GatewayError:
    """Return the refusal for `exc`; `head` is what the parser was given of the head."""
    if isinstance(exc, GatewayError):
        return exc
    if isinstance(exc, LineTooLong):
        return TargetTooLong(f"the request-target is over {max_target_bytes} bytes")
    other = next((text for start, text in _OTHER_PROTOCOLS if head.startswith(start)), None)
    if other is not None:
        return BadRequest(other)
    if isinstance(exc, BadHttpMethod):
        return _method_refusal(head)
    if _TOO_MANY in str(exc):
        return HeadTooLarge("the head has too many fields")
    if isinstance(exc, InvalidURLError | BadStatusLine):
        is_target = isinstance(exc, InvalidURLError)
        text = "the request-target is malformed" if is_target else _BAD_LINE
        return _target_refusal(head) or BadRequest(text)
    return BadRequest(f"the request is malformed: {_reason(exc)}")


def as_taken(part: bytes, head: bytes) -> bytes:
    """Return a part of a head as the parser takes it, where it refuses what our rules do not.

    llhttp refuses bytes over 0x7F in a target without saying which; our own rules judge them
    by name. aiohttp refuses a second User-Agent, and none of them leaves here. `head` is the
    head so far; what is not its end is no part of it, and comes back as it is.
    """
    if not head.endswith(part):
        return part
    line, end, rest = part.partition(b"\r\n")
    if part == head and not line.isascii():
        part = _OVER_ASCII.sub(b"~", line) + end + rest
    return _tell_agents_apart(part, head)


def as_sent(message: RawRequestMessage, head: bytes) -> RawRequestMessage:
    """Return the message with the very target of its request line, and the very names."""
    if any(name.lower() == _ANOTHER_AGENT for name, _ in message.raw_headers):
        message = message._replace(raw_headers=_with_names(message.raw_headers, head))
    line = head.partition(b"\r\n")[0]
    if line.isascii():
        return message
    target = line[len(message.method) + 1 : -len(b" HTTP/1.1")]
    return message._replace(path=target.decode("utf-8", "surrogateescape"))


def find_forgiven(message: RawRequestMessage, head: bytes) -> BadRequest | None:
    """Return what is wrong with a head that the parser accepted, or None.

    llhttp forgives, for one, a second space in the request line; who reads it after us may
    not. And no field may be there that did not come with this head.
    """
    parts = (message.method.encode(), target_of(message), version_of(message))
    line = b"%b %b %b\r\n" % parts
    if not head.startswith(line):
        return BadRequest(_BAD_LINE)
    # The request line and the empty line are no fields; all others are one each.
    if head.count(b"\n") - 2 != len(message.raw_headers):
        return BadRequest("the fields of the head are malformed")
    return None


def reframe(message: RawRequestMessage) -> Framing | None:
    """Return how the body ends by our own reading, None when that finds it ambiguous."""
    try:
        return frame_request(message.raw_headers, version_of(message))
    except Ambiguous:
        return None


def body_broken() -> BadRequest:
    """Return the refusal of a body whose coding ends nowhere."""
    return BadRequest("the body is not chunked as RFC 9112 section 7.1 has it")


def body_stalled() -> RequestTimeout:
    """Return the refusal of a body that stopped coming."""
    return RequestTimeout("the body did not come in time")


def _tell_agents_apart(part: bytes, head: bytes) -> bytes:
    """Return the end of a head with another name for each User-Agent but the first.

    The byte that makes the other name goes before the colon, so that it does not matter where
    a name was cut.
    """
    start = len(head) - len(part)
    found = _AGENT.finditer(head, max(start - len(b"\r\nuser-agent"), 0))
    colons = [colon for match in found if (colon := match.end() - 1) >= start]
    if not colons:
        return part
    first = _AGENT.search(head)
    for colon in reversed(colons):
        if first is None or colon > first.end():
            part = part[: colon - start] + b"_" + part[colon - start :]
    return part


def _with_names(fields: Fields, head: bytes) -> Fields:
    """Return the fields with the names that they have in the head."""
    names = [line.partition(b":")[0] for line in head.split(b"\r\n")[1:-2]]
    if len(names) != len(fields):
        # `find_forgiven` will refuse them.
        return fields
    return tuple((name, value) for name, (_, value) in zip(names, fields, strict=True))


def _method_refusal(head: bytes) -> GatewayError:
    match = _UNKNOWN_METHOD.match(head)
    if match is None:
        return BadRequest(_BAD_LINE)
    return MethodNotAllowed(f"{match[1].decode()} is not forwarded")


def _target_refusal(head: bytes) -> GatewayError | None:
    """Return what our own rules say of the target, which tells where the bad byte is."""
    match = _ANY_TARGET.match(head)
    if match is None:
        return None
    try:
        check_query(parse_target(match[1]).query or b"", _ANY_QUERY)
    except Refused as refusal:
        return refusal
    return None


def _reason(exc: BaseException) -> str:
    """Return llhttp's static reason, which stands alone in the first line."""
    text = str(getattr(exc, "message", "")).partition("\n")[0].rstrip(":")
    return text if _REASON.fullmatch(text) else "it is not HTTP/1.1"

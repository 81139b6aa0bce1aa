"""What aiohttp's request parser found wrong, as one of our refusals.

The parser's texts quote the request, so none of them is passed on but llhttp's own
static reasons. A parser stops at the first flaw; the connection ends after the answer.

Rule: an exception of the parser's becomes a leaf of `Refused` here and nowhere else.
"""

from __future__ import annotations

import re

from aiohttp.http_exceptions import BadHttpMethod, BadStatusLine, InvalidURLError, LineTooLong

from gateway.core.grammar import TCHAR
from gateway.errors import (
    BadRequest,
    GatewayError,
    HeadTooLarge,
    MethodNotAllowed,
    TargetTooLong,
)

# RFC 9112 section 3: a request line whose method is a token that llhttp does not know.
_UNKNOWN_METHOD = re.compile(rb"\s*(" + TCHAR + rb"{1,32}) [^ \r\n]+ HTTP/1\.[01]\r\n")
# A TLS record of type handshake; the version that follows is 3.x.
_TLS_HELLO = b"\x16\x03"
_REASON = re.compile(r"[A-Za-z'][A-Za-z0-9 '/\-.,]{0,80}")


def refusal_of(exc: BaseException, first: bytes, max_target_bytes: int) -> GatewayError:
    """Return the refusal for `exc`; `first` is the beginning of what was received."""
    if isinstance(exc, GatewayError):
        return exc
    if isinstance(exc, LineTooLong):
        if exc.args[1] == max_target_bytes:
            return TargetTooLong(f"the request-target is over {max_target_bytes} bytes")
        return HeadTooLarge(f"a field is over {exc.args[1]} bytes")
    if first.startswith(_TLS_HELLO):
        return BadRequest("this port speaks HTTP, not HTTPS")
    if isinstance(exc, BadHttpMethod):
        return _method_refusal(first)
    if isinstance(exc, InvalidURLError):
        return BadRequest("the request-target is malformed")
    if isinstance(exc, BadStatusLine):
        return BadRequest("the request line is malformed")
    return BadRequest(f"the request is malformed: {_reason(exc)}")


def _method_refusal(first: bytes) -> GatewayError:
    match = _UNKNOWN_METHOD.match(first)
    if match is None:
        return BadRequest("the request line is malformed")
    return MethodNotAllowed(f"{match[1].decode()} is not forwarded")


def _reason(exc: BaseException) -> str:
    """Return llhttp's static reason, which stands alone in the first line."""
    text = str(getattr(exc, "message", "")).partition("\n")[0].rstrip(":")
    return text if _REASON.fullmatch(text) else "it is not HTTP/1.1"

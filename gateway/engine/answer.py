"""Answers that the gateway makes itself: the one place where an error becomes bytes.

The body has the vendor's shape, so that callers' own error handling works, and
`X-Gateway-Error` says that the gateway made it. `Proxy-Status` says the same in the
terms of RFC 9209.

Rule: what is said is the error's message, which holds no secret, and for a rate limit the
      vendor's text above it; of a bug nothing is said.
"""

from __future__ import annotations

from email.utils import formatdate
from http import HTTPStatus

import orjson

from gateway.errors import GatewayError, MethodNotAllowed, RateShield, Unavailable, UnknownCaller


def render_error(error: GatewayError, request_id: str, *, close: bool, bodiless: bool) -> bytes:
    """Return a whole answer; `bodiless` leaves the body out, for HEAD."""
    body = render_body(error)
    fields = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("X-Gateway-Error", error.code),
        ("Proxy-Status", f'rc-gateway; error={error.proxy_error}; details="{error.code}"'),
        *_fields_of(error),
    ]
    return render_head(error.status, fields, request_id, close=close) + (b"" if bodiless else body)


def render_body(error: GatewayError) -> bytes:
    """Return the JSON body in the vendor's shape."""
    detail = {"errorCode": error.error_code, "message": error.message}
    if error.parameter is not None:
        detail["parameterName"] = error.parameter
    whole = {"errorCode": error.error_code, "message": error.summary, "errors": [detail]}
    return orjson.dumps(whole)


def render_allow(allow: str, request_id: str, *, close: bool) -> bytes:
    """Return the 204 that answers OPTIONS at its last hop."""
    fields = [("Allow", allow), ("Proxy-Status", "rc-gateway")]
    return render_head(204, fields, request_id, close=close)


def render_head(
    status: int, fields: list[tuple[str, str]], request_id: str, *, close: bool
) -> bytes:
    """Return a head of our own with its empty line."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Date: {formatdate(usegmt=True)}"]
    lines += [f"{name}: {value}" for name, value in fields]
    lines.append(f"X-Request-Id: {request_id}")
    if close:
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _fields_of(error: GatewayError) -> list[tuple[str, str]]:
    if isinstance(error, Unavailable | RateShield):
        return [("Retry-After", str(error.retry_after_s))]
    if isinstance(error, MethodNotAllowed):
        return [("Allow", error.allow)]
    if isinstance(error, UnknownCaller):
        return [("WWW-Authenticate", 'Bearer realm="rc-gateway"')]
    return []

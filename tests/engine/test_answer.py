"""An error becomes the contract's answer, for each leaf of the tree of errors."""

import json
from email.utils import parsedate_to_datetime
from typing import Any

import http_sf
import pytest

from gateway import errors
from gateway.engine.answer import render_allow, render_error
from gateway.errors import BadQuery, GatewayError, Internal, Overloaded, Unavailable
from tests.wire import values


def leaves(root: type[GatewayError]) -> list[type[GatewayError]]:
    return [root, *(leaf for below in root.__subclasses__() for leaf in leaves(below))]


def make(kind: type[GatewayError]) -> GatewayError:
    return Internal() if kind is Internal else kind("told")


def render(error: GatewayError, *, close: bool = False, bodiless: bool = False) -> bytes:
    return render_error(error, "id", close=close, bodiless=bodiless)


@pytest.mark.parametrize("kind", leaves(GatewayError))
def test_every_error_has_the_vendors_shape_and_our_fields(kind: type[GatewayError]) -> None:
    error = make(kind)
    head, _, body = render(error).partition(b"\r\n\r\n")
    head += b"\r\n\r\n"
    assert head.startswith(b"HTTP/1.1 %d " % kind.status)
    detail = {"errorCode": error.error_code, "message": error.message}
    assert json.loads(body) == {**detail, "message": error.summary, "errors": [detail]}
    assert values(head, b"content-length") == [b"%d" % len(body)]
    assert values(head, b"content-type") == [b"application/json"]
    assert values(head, b"x-gateway-error") == [kind.code.encode()]
    assert values(head, b"x-request-id") == [b"id"]
    assert parsedate_to_datetime(values(head, b"date")[0].decode()).tzinfo is not None


@pytest.mark.parametrize("kind", leaves(GatewayError))
def test_proxy_status_is_a_structured_field(kind: type[GatewayError]) -> None:
    (value,) = values(render(make(kind)).partition(b"\r\n\r\n")[0] + b"\r\n\r\n", b"proxy-status")
    # Typed as any shape that any structured field may have.
    parsed: Any = http_sf.parse(value, tltype="list")
    ((name, parameters),) = parsed
    assert str(name) == "rc-gateway"
    assert str(parameters["error"]) == make(kind).proxy_error
    assert parameters["details"] == kind.code


@pytest.mark.parametrize(
    ("error", "field"),
    [
        (Overloaded("told", retry_after_s=7), b"Retry-After: 7"),
        (Unavailable("told"), b"Retry-After: 1"),
        (errors.RateShield("told", retry_after_s=42), b"Retry-After: 42"),
        (
            errors.MethodNotAllowed("told"),
            b"Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        ),
        (errors.UnknownCaller("told"), b'WWW-Authenticate: Bearer realm="rc-gateway"'),
    ],
)
def test_some_errors_say_what_to_do_next(error: GatewayError, field: bytes) -> None:
    assert b"\r\n" + field + b"\r\n" in render(error)


def test_a_rate_limit_has_just_the_vendors_message_above_our_own() -> None:
    """The vendor's widgets compare an error's message with this text, and else do not wait."""
    body = json.loads(render(errors.RateShield("told")).partition(b"\r\n\r\n")[2])
    assert body["message"] == "Request rate exceeded"
    assert body["errors"] == [{"errorCode": "CMN-301", "message": "told"}]


def test_a_parameter_is_named() -> None:
    body = render(BadQuery("told", parameter="_method")).partition(b"\r\n\r\n")[2]
    assert json.loads(body)["errors"][0]["parameterName"] == "_method"


def test_head_gets_the_length_of_the_body_and_not_the_body() -> None:
    whole, bodiless = render(Internal()), render(Internal(), bodiless=True)
    assert bodiless.endswith(b"\r\n\r\n")
    assert whole.startswith(bodiless)


@pytest.mark.parametrize("close", [False, True])
def test_the_end_of_the_connection_is_said(close: bool) -> None:
    for answer in (render(Internal(), close=close), render_allow("GET", "id", close=close)):
        assert (b"\r\nConnection: close\r\n" in answer) is close


def test_the_last_hop_of_options_has_no_content() -> None:
    answer = render_allow("GET, HEAD", "id", close=False)
    assert answer.startswith(b"HTTP/1.1 204 No Content\r\n")
    assert answer.endswith(b"\r\n\r\n")
    assert b"\r\nAllow: GET, HEAD\r\n" in answer
    assert b"\r\nProxy-Status: rc-gateway\r\n" in answer
    assert b"Content-Length" not in answer

"""gateway/errors.py."""

import re
from collections.abc import Iterator

import pytest

from gateway.errors import (
    BadOverride,
    BadQuery,
    BadRequest,
    BodyTooLarge,
    ConfigError,
    CredentialUnavailable,
    Draining,
    ExpectationFailed,
    GatewayError,
    HeadTooLarge,
    Internal,
    MethodConflict,
    MethodNotAllowed,
    NoRoute,
    NotPermitted,
    Overloaded,
    Problem,
    RateShield,
    Refused,
    RequestTimeout,
    TargetTooLong,
    Unavailable,
    UnknownCaller,
    UpstreamBroken,
    UpstreamFailed,
    UpstreamTimeout,
    UpstreamUnreachable,
    show,
)

# The public table: a code never changes its meaning.
PUBLIC = [
    (BadRequest, 400, "bad-request"),
    (MethodConflict, 400, "method-conflict"),
    (BadOverride, 400, "bad-override"),
    (BadQuery, 400, "bad-query"),
    (UnknownCaller, 401, "unknown-caller"),
    (NotPermitted, 403, "not-permitted"),
    (NoRoute, 404, "no-route"),
    (MethodNotAllowed, 405, "method-not-allowed"),
    (RequestTimeout, 408, "request-timeout"),
    (BodyTooLarge, 413, "body-too-large"),
    (TargetTooLong, 414, "target-too-long"),
    (ExpectationFailed, 417, "expectation-failed"),
    (RateShield, 429, "rate-shield"),
    (HeadTooLarge, 431, "head-too-large"),
    (Internal, 500, "internal"),
    (UpstreamUnreachable, 502, "upstream-unreachable"),
    (UpstreamBroken, 502, "upstream-broken"),
    (CredentialUnavailable, 503, "credential-unavailable"),
    (Overloaded, 503, "overloaded"),
    (Draining, 503, "draining"),
    (UpstreamTimeout, 504, "upstream-timeout"),
]

# RFC 9209 section 2.3, the types that name something that can happen here.
PROXY_ERRORS = {
    *("destination_not_found", "destination_unavailable", "connection_limit_reached"),
    *("http_request_error", "http_request_denied", "http_protocol_error"),
    *("http_response_timeout", "proxy_internal_response", "proxy_internal_error"),
}


def leaves_of(error: type[GatewayError]) -> Iterator[type[GatewayError]]:
    for child in error.__subclasses__():
        yield from leaves_of(child)
    if not error.__subclasses__():
        yield error


@pytest.mark.parametrize(("error", "status", "code"), PUBLIC, ids=lambda value: str(value))
def test_a_code_has_its_status(error: type[GatewayError], status: int, code: str) -> None:
    assert (error.status, error.code) == (status, code)
    assert error.__doc__


def test_every_leaf_is_in_the_public_table_and_has_its_own_code() -> None:
    assert set(leaves_of(GatewayError)) == {error for error, _, _ in PUBLIC}
    codes = [error.code for error in leaves_of(GatewayError)]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes)


def test_the_branch_tells_whose_fault_it_is() -> None:
    for error in leaves_of(Refused):
        assert 400 <= error.status < 500
    for error in leaves_of(Unavailable):
        assert error.status == 503
    for error in leaves_of(UpstreamFailed):
        assert error.status in (502, 504)


def test_proxy_status_uses_registered_types_only() -> None:
    assert {error.proxy_error for error in leaves_of(GatewayError)} <= PROXY_ERRORS


def test_an_error_carries_its_message_and_the_vendors_form_of_its_code() -> None:
    error = MethodConflict("header and _method differ", parameter="_method")
    assert error.message == str(error) == "header and _method differ"
    assert error.parameter == "_method"
    assert error.error_code == "GW-METHOD-CONFLICT"
    assert BadRequest("x").parameter is None


def test_a_bug_says_nothing_of_itself() -> None:
    assert Internal().message == "The gateway failed; its log says why."


def test_a_refused_method_is_told_what_is_allowed() -> None:
    assert MethodNotAllowed.allow == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"


def test_what_is_unavailable_says_when_to_come_back() -> None:
    assert Draining("shutting down").retry_after_s == 1
    assert Overloaded("full", retry_after_s=5).retry_after_s == 5


def test_a_shut_door_speaks_the_vendors_code_and_says_when_it_opens() -> None:
    error = RateShield("shut", reason="penalty", retry_at=160.5, retry_after_s=61)
    assert (error.reason, error.retry_at, error.retry_after_s) == ("penalty", 160.5, 61)
    assert (error.error_code, error.summary) == ("CMN-301", "Request rate exceeded")
    assert error.message == "shut"


def test_a_body_says_what_an_error_says() -> None:
    assert Overloaded("full").summary == "full"


def test_an_upstream_failure_tells_whether_a_byte_left_and_what_kind_it_is() -> None:
    refused = UpstreamUnreachable("no", sent=False, proxy_error="connection_refused")
    assert (refused.sent, refused.proxy_error) == (False, "connection_refused")
    assert UpstreamUnreachable.proxy_error == "destination_unavailable"
    broken = UpstreamBroken("cut")
    assert (broken.sent, broken.proxy_error) == (True, "http_protocol_error")


def test_a_config_error_carries_every_problem_with_its_place() -> None:
    problems = (Problem("query.mode", "write one of off, report"), Problem("", "no file"))
    error = ConfigError(problems)
    assert error.problems == problems
    assert str(error) == "query.mode: write one of off, report; no file"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"plain ~ text", "plain ~ text"),
        (b"it's", "it's"),
        (b"a\r\n\x00\x7f\xff\\", r"a\r\n\x00\x7f\xff\\"),
        (b"a" * 50, "a" * 40),
        (b"", ""),
    ],
)
def test_received_bytes_are_shown_as_printable_ascii(raw: bytes, shown: str) -> None:
    assert show(raw) == shown


def test_as_many_bytes_are_shown_as_are_asked_for() -> None:
    assert show(b"\xff\xff\xff", 2) == r"\xff\xff"


def test_some_failures_are_settled_and_others_may_pass() -> None:
    for kind in ("tls_certificate_error", "proxy_configuration_error"):
        assert UpstreamUnreachable("no", sent=False, proxy_error=kind).is_settled
    assert not UpstreamUnreachable("no", sent=False, proxy_error="connection_refused").is_settled

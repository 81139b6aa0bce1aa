"""Every refusal and failure of the gateway: the tree is the documentation.

An error knows its status, its public code and whose fault it is, so that one place can
turn it into an answer and one place can log it. Codes never change their meaning.

Rule 1: a leaf per public code; the message says what was wrong and how to mend it.
Rule 2: a message is printable ASCII, and holds no secret and no value of a query or field;
        bytes that somebody sent are shown through `show`.
Rule 3: this module knows nothing of HTTP parsing, sockets or configuration files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


def show(raw: bytes, most: int = 40) -> str:
    """Return the first `most` bytes as printable ASCII, the others escaped as Python does."""
    return repr(raw[:most])[2:-1]


class GatewayError(Exception):
    """A request that the gateway answers itself; `proxy_error` is its RFC 9209 type."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    proxy_error: str = "proxy_internal_error"

    def __init__(self, message: str, *, parameter: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.parameter = parameter

    @property
    def error_code(self) -> str:
        """Return the `errorCode` of the body, in the vendor's style: `GW-BAD-QUERY`."""
        return f"GW-{self.code.upper()}"

    @property
    def summary(self) -> str:
        """Return the `message` of the body; the one in its `errors` is always our own."""
        return self.message


class Internal(GatewayError):
    """A bug of ours; nothing but this is said."""

    def __init__(self) -> None:
        super().__init__("The gateway failed; its log says why.")


class Refused(GatewayError):
    """We will not forward, and the caller can fix it."""

    status = 400
    code = "bad-request"
    proxy_error = "http_request_error"


class BadRequest(Refused):
    """The framing, head or target is malformed, or has two readings."""


class MethodConflict(Refused):
    """Two overrides name different methods."""

    code = "method-conflict"


class BadOverride(Refused):
    """The override names a verb that may not be tunnelled, or stands where none may."""

    code = "bad-override"


class BadQuery(Refused):
    """The query breaks its profile."""

    code = "bad-query"


class UnknownCaller(Refused):
    """We do not know who is asking."""

    status = 401
    code = "unknown-caller"
    proxy_error = "http_request_denied"


class NotPermitted(Refused):
    """We know who is asking, and they may not."""

    status = 403
    code = "not-permitted"
    proxy_error = "http_request_denied"


class NoRoute(Refused):
    """No enabled upstream owns this path."""

    status = 404
    code = "no-route"
    proxy_error = "destination_not_found"


class MethodNotAllowed(Refused):
    """A verb that the gateway does not forward; `allow` is the `Allow` field's value."""

    status = 405
    code = "method-not-allowed"
    allow: ClassVar[str] = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"


class RequestTimeout(Refused):
    """The caller did not finish its head or body in time."""

    status = 408
    code = "request-timeout"


class BodyTooLarge(Refused):
    """The body is over `limits.max_body_bytes`."""

    status = 413
    code = "body-too-large"


class TargetTooLong(Refused):
    """The request-target is over `limits.max_target_bytes`."""

    status = 414
    code = "target-too-long"


class ExpectationFailed(Refused):
    """An `Expect` other than `100-continue` (RFC 9110 section 10.1.1)."""

    status = 417
    code = "expectation-failed"


class RateShield(Refused):
    """A limit of the vendor's is reached, and a request now would begin its penalty anew.

    `reason` is the label of metrics; `retry_at` is monotonic seconds, and `retry_after_s` the
    same from now on, in whole seconds, rounded up.
    """

    status = 429
    code = "rate-shield"
    proxy_error = "http_request_denied"

    def __init__(
        self, message: str, *, reason: str = "", retry_at: float = 0.0, retry_after_s: int = 1
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_at = retry_at
        self.retry_after_s = retry_after_s

    @property
    def error_code(self) -> str:
        """Return the vendor's own code, which callers' rate handling looks for."""
        return "CMN-301"

    @property
    def summary(self) -> str:
        """Return the vendor's own text: its widgets wait only where the message is just this."""
        return "Request rate exceeded"


class HeadTooLarge(Refused):
    """The head is over `limits.max_head_bytes`."""

    status = 431
    code = "head-too-large"


class Unavailable(GatewayError):
    """We cannot serve now; `retry_after_s` (whole seconds) says when to come back."""

    status = 503
    code = "overloaded"
    proxy_error = "proxy_internal_response"

    def __init__(self, message: str, *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Overloaded(Unavailable):
    """A limit of `[limits]` is reached."""

    proxy_error = "connection_limit_reached"


class Draining(Unavailable):
    """The gateway is shutting down."""

    code = "draining"


class CredentialUnavailable(Unavailable):
    """There is no token to send; nothing was forwarded."""

    code = "credential-unavailable"


class UpstreamFailed(GatewayError):
    """We tried, and the caller cannot fix it; `sent` tells whether a byte left."""

    status = 502
    code = "upstream-broken"
    proxy_error = "http_protocol_error"

    def __init__(self, message: str, *, sent: bool = True, proxy_error: str = "") -> None:
        super().__init__(message)
        self.sent = sent
        if proxy_error:
            self.proxy_error = proxy_error

    @property
    def is_settled(self) -> bool:
        """Tell whether another attempt would fail as well: a certificate, a proxy's refusal."""
        return self.proxy_error in ("tls_certificate_error", "proxy_configuration_error")


class UpstreamUnreachable(UpstreamFailed):
    """No connection could be made: name, route, refusal or TLS."""

    code = "upstream-unreachable"
    proxy_error = "destination_unavailable"


class UpstreamBroken(UpstreamFailed):
    """The connection ended early, or what came was not HTTP we believe."""


class UpstreamTimeout(UpstreamFailed):
    """No connection, or no answer, in time."""

    status = 504
    code = "upstream-timeout"
    proxy_error = "http_response_timeout"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the configuration: the TOML path, what, and what to write."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ConfigError(Exception):
    """The configuration cannot be used; carries every problem, before the first socket."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems

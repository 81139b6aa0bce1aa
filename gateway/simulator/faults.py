"""What goes wrong, in the vendor's words and in the vendor's shape.

A `Fault` is raised wherever the simulator says no, and becomes an answer in one place. Its
body has the code twice, once at the top and once in `errors`, because clients read either;
the two may differ (`TokenInvalid` over `OAU-149`).

Documented are the codes AGW-401, AGW-402, TokenInvalid, OAU-149, CMN-101 to CMN-107,
CMN-120 and CMN-203. Inferred, because nothing public says what the vendor sends: 405 with
CMN-202, 413 with CMN-104, and CMN-101 for conflicting method overrides.

This module knows nothing of HTTP servers, of data, or of who raises what.
"""

from collections.abc import Mapping

Document = dict[str, object]

_ORDERED = {
    429: ("CMN-301", "Request rate exceeded"),
    503: ("CMN-201", "Service temporary unavailable"),
}


class Fault(Exception):
    """A refusal with the status, the codes and the headers of its answer."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        parameter: str = "",
        inner_code: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Keep the parts; `inner_code` is the code inside `errors` when it differs."""
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.code = code
        self.message = message
        self.parameter = parameter
        self.inner_code = inner_code or code
        self.headers = dict(headers or {})

    def document(self) -> Document:
        """Render the body of the answer."""
        named: Document = {"parameterName": self.parameter} if self.parameter else {}
        inner: Document = {"errorCode": self.inner_code, "message": self.message, **named}
        return {"errorCode": self.code, "message": self.message, "errors": [inner], **named}


def invalid_parameter(name: str, hint: str = "") -> Fault:
    """Make the 400 for a parameter value that cannot be used."""
    message = f"Parameter [{name}] value is invalid"
    return Fault(400, "CMN-101", f"{message}: {hint}" if hint else message, parameter=name)


def missing_resource(name: str) -> Fault:
    """Make the 404 for an id that names nothing."""
    message = f"Resource for parameter [{name}] is not found"
    return Fault(404, "CMN-102", message, parameter=name)


def invalid_uri() -> Fault:
    """Make the 404 for a path that is not served."""
    return Fault(404, "CMN-120", "Invalid URI")


def unsupported_method(method: str, allowed: str) -> Fault:
    """Make the 405 for a served path that has no such method."""
    message = f"Operation is not supported: {method} is not one of {allowed}"
    return Fault(405, "CMN-202", message, headers={"Allow": allowed})


def unsatisfiable_range(size: int) -> Fault:
    """Make the 416 for a range that begins after the last byte."""
    headers = {"Content-Range": f"bytes */{size}"}
    return Fault(416, "CMN-107", "Requested Range Not Satisfiable", headers=headers)


def unparsable_json() -> Fault:
    """Make the 400 for a body that is no JSON object."""
    return Fault(400, "CMN-103", "JSON can't be parsed")


def unreadable_body() -> Fault:
    """Make the 400 for a body whose framing breaks before its end."""
    return Fault(400, "CMN-104", "Cannot parse request")


def oversized_body(limit: int) -> Fault:
    """Make the 413 for a body that is larger than this simulator reads."""
    return Fault(413, "CMN-104", f"Cannot parse request: the body exceeds {limit} bytes")


def ordered(status: int, retry_after: str) -> Fault:
    """Make the failure that somebody asked for at the control desk."""
    headers = {"Retry-After": retry_after} if retry_after else {}
    code, message = _ORDERED.get(status, ("CMN-203", "Failed as ordered"))
    return Fault(status, code, message, headers=headers)


def exceeded_rate(wait_s: float) -> Fault:
    """Make the 429 of a rate group; `wait_s` is as it is to be written."""
    return ordered(429, str(wait_s))


def internal() -> Fault:
    """Make the 500 that says nothing about its cause."""
    return Fault(500, "CMN-203", "Internal Server Error")

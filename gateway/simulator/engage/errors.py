"""RingCX's and the legacy API's way to say no: the JSON object `Errors`.

Documented are the members, `access.denied.exception`, and that `requestUri` is the path and
the method that the server saw, as `<path> - <METHOD>`, which tells whether a tunnel was
undone. No 429 and no `Retry-After` is documented; here it is the same object, without the
header. The other codes are inferred.
"""

from gateway.simulator.answers import Answer, render_document
from gateway.simulator.faults import Document, Fault
from gateway.simulator.reading import Reading


def access_denied(details: str) -> Fault:
    """Make the 401 for a request without a good token."""
    return Fault(401, "access.denied.exception", details)


def missing_entity() -> Fault:
    """Make the 404 for a path or an id that names nothing."""
    return Fault(404, "entity.not.found.exception", "Nothing is here")


def unusable_request(details: str) -> Fault:
    """Make the 400 for a request that cannot be carried out."""
    return Fault(400, "bad.request.exception", details)


def too_many_requests() -> Fault:
    """Make the 429 of a limit: neither a wait nor a penalty is documented."""
    return Fault(429, "too.many.requests.exception", "Request rate exceeded")


def render_errors(fault: Fault, reading: Reading, wall_s: float) -> Answer:
    """Write a refusal as `Errors`; `wall_s` is seconds since 1970."""
    document: Document = {
        "errorCode": fault.code,
        "generalMessage": fault.message,
        "details": fault.message,
        "developerMessage": None,
        "cause": None,
        "validationErrors": [],
        "requestUri": f"/{'/'.join(reading.segments)} - {reading.method}",
        "timestamp": int(wall_s * 1000),
    }
    return render_document(document, fault.status).adding(fault.headers)

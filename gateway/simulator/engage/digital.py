"""Engage Digital, below `/1.0`: one static token, categories, threads and users.

The token comes as a Bearer or as the parameter `access_token`, as documented. With
`impersonated_user_id` a request acts as another user: the one agent there is, who sees only
the threads assigned to that agent; any other id is a 400. Lists are pages of `offset` and
`limit`, at most 150. An error is `{error, message, status}`; that of a 401 is inferred. With
enforced rates there are 500 requests a minute, and the next is a 429 without a header.

The constants are public on purpose: they open a simulator, nothing else.
"""

from collections.abc import Sequence

from gateway.simulator.answers import Answer, render_document
from gateway.simulator.faults import Document, Fault, unsupported_method
from gateway.simulator.filters import integer, one
from gateway.simulator.limits import Limit
from gateway.simulator.rates import Rates
from gateway.simulator.reading import Reading

DIGITAL_TOKEN = "simulator-digital-token"  # noqa: S105 - it opens a simulator, as TOKEN does
OWNER_ID = "5f0000000000000000000001"
AGENT_ID = "5f0000000000000000000002"
DEFAULT_LIMIT = 30
MAX_LIMIT = 150
REQUESTS = 500
WINDOW_S = 60

_ERRORS = {
    400: "bad_request",
    401: "invalid_token",
    404: "not_found",
    405: "method_not_allowed",
    429: "rate_limit_exceeded",
}
_RECORDS: dict[str, tuple[Document, ...]] = {
    "categories": (
        {"id": "4242", "name": "Sales", "parent_id": None, "color": 1},
        {"id": "4243", "name": "Support", "parent_id": None, "color": 2},
    ),
    "content_threads": (
        {"id": "7001", "title": "An order", "closed": False, "assigned_to": OWNER_ID},
        {"id": "7002", "title": "A complaint", "closed": False, "assigned_to": AGENT_ID},
    ),
    "users": (
        {"id": OWNER_ID, "firstname": "Ada", "lastname": "Byron", "enabled": True},
        {"id": AGENT_ID, "firstname": "Charles", "lastname": "Babbage", "enabled": True},
    ),
}


class Digital:
    """One account of Engage Digital; it never changes."""

    def __init__(self, rates: Rates) -> None:
        """Start with nothing spent."""
        self._rates = rates
        self._limit = Limit(REQUESTS, rates.pace.shorten(WINDOW_S))

    def answer(self, reading: Reading, now: float) -> Answer:
        """Answer a request; `now` is monotonic seconds."""
        try:
            _check(reading)
            if self._rates.charge("engage-digital", self._limit, now):
                raise Fault(429, "", "Rate limit exceeded")
            return _serve(reading, _act_as(reading))
        except Fault as fault:
            return _render_error(fault)


def _check(reading: Reading) -> None:
    headers = reading.wire.fields("Authorization")
    scheme, _, value = headers[0].partition(" ") if headers else ("", "", "")
    offered = value.strip() if scheme.lower() == "bearer" else ""
    if (offered if headers else one(reading.query, "access_token")) != DIGITAL_TOKEN:
        raise Fault(401, "", "The access token is invalid")


def _act_as(reading: Reading) -> str:
    asked = [value for name, value in reading.query if name == "impersonated_user_id"]
    if asked and asked != [AGENT_ID]:
        raise Fault(400, "", "Impersonating this user is not allowed")
    return asked[0] if asked else OWNER_ID


def _serve(reading: Reading, acting: str) -> Answer:
    kind, *rest = (*reading.segments[1:], "")
    if kind not in _RECORDS or len(rest) > 2:
        raise Fault(404, "", "Not found")
    if reading.method not in ("GET", "HEAD"):
        raise unsupported_method(reading.method, "GET, HEAD")
    visible = [record for record in _RECORDS[kind] if _sees(acting, record)]
    if not rest[:-1]:
        return render_document(_render_page(reading, visible))
    for record in visible:
        if record["id"] == rest[0]:
            return render_document(record)
    raise Fault(404, "", "Not found")


def _sees(acting: str, record: Document) -> bool:
    return acting == OWNER_ID or record.get("assigned_to", acting) == acting


def _render_page(reading: Reading, records: Sequence[Document]) -> Document:
    offset = integer(reading.query, "offset", 0, low=0, high=10**9)
    limit = integer(reading.query, "limit", DEFAULT_LIMIT, low=1, high=MAX_LIMIT)
    shown = list(records[offset : offset + limit])
    return {"count": len(records), "offset": offset, "limit": limit, "records": shown}


def _render_error(fault: Fault) -> Answer:
    document: Document = {
        "error": _ERRORS[fault.status],
        "message": fault.message,
        "status": fault.status,
    }
    return render_document(document, fault.status).adding(fault.headers)

"""What happened, in numbers: for tests that prove how often a token was asked for.

Token calls are counted by grant and outcome (the status, or `dropped` when the answer was
cut off; the call was carried out all the same). All other requests are counted by status.
Calls of the control endpoint itself are not counted.

Rule: no token, secret, code or assertion comes in here; of a request are kept its methods,
its path without a query, and its status, and a token within a path is left out.
"""

import re
from collections import Counter, deque
from urllib.parse import parse_qs

from gateway.simulator.control.troubles import find_kind
from gateway.simulator.faults import Document
from gateway.simulator.reading import Wire

MAX_REQUESTS = 100
_GRANTS = {
    "urn:ietf:params:oauth:grant-type:jwt-bearer": "jwt",
    "refresh_token": "refresh_token",
    "authorization_code": "authorization_code",
}
_OTHER_CALLS = {
    "/api/auth/login/rc/accesstoken": "ringcx_exchange",
    "/api/auth/token/refresh": "ringcx_refresh",
    "/api/v1/auth/login": "legacy_login",
}
_TOKEN_IN_PATH = re.compile(r"(/admin/token|/api/auth/logout)/[^/]+")


class Ledger:
    """The counts since the start or the last reset."""

    def __init__(self) -> None:
        """Start with nothing counted."""
        self.reset()

    def reset(self) -> None:
        """Forget every count."""
        self._token_calls: dict[str, Counter[str]] = {}
        self._requests: Counter[str] = Counter()
        self._limited = 0
        self._latest: deque[Document] = deque(maxlen=MAX_REQUESTS)

    def note(self, wire: Wire, effective: str | None, status: int, *, dropped: bool) -> None:
        """Count one request and its answer."""
        path = wire.target.partition("?")[0]
        if find_kind(wire):
            outcomes = self._token_calls.setdefault(_name_grant(path, wire.body), Counter())
            outcomes["dropped" if dropped else str(status)] += 1
            self._limited += status == 429
        else:
            self._requests[str(status)] += 1
        shown = _TOKEN_IN_PATH.sub(r"\1/...", path)
        line = {"method": wire.method, "effective": effective, "path": shown, "status": status}
        self._latest.append({**line})

    def report(self) -> Document:
        """Write the counts down."""
        return {
            "token_calls": {name: dict(counts) for name, counts in self._token_calls.items()},
            "token_calls_limited": self._limited,
            "requests_by_status": dict(self._requests),
            "latest_requests": list(self._latest),
        }


def _name_grant(path: str, body: bytes) -> str:
    if path in _OTHER_CALLS:
        return _OTHER_CALLS[path]
    named = parse_qs(body.decode("utf-8", "replace")).get("grant_type", [""])
    return _GRANTS.get(named[0], "other")

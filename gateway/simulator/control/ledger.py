"""What happened, in numbers: for tests that prove how often a token was asked for.

Token calls are counted by grant and outcome: the status, or `dropped` when the connection
was cut. All other requests are counted by outcome alone. A request with a field `X-Test-Id`
is counted by its value as well: how often its head arrived, and how often it was carried out
(with or without an answer that came through). The desk's own requests are not counted.

Rule: no token, secret, code or assertion comes in here; of a request are kept its methods,
its path without a query, its status and its `X-Test-Id`; a token within a path is left out.
"""

import re
from collections import Counter, deque
from urllib.parse import parse_qs

from gateway.simulator.control.kinds import TOKEN_KINDS, find_kind
from gateway.simulator.faults import Document
from gateway.simulator.reading import Wire

MAX_REQUESTS = 100
# More than any one test sends, and a megabyte at the worst.
MAX_TEST_IDS = 10_000
TEST_ID = "X-Test-Id"
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
        self._arrivals: dict[str, dict[str, int]] = {}

    def arrive(self, test_id: str | None) -> None:
        """Count the head of a request by its `X-Test-Id`, if it has one."""
        if test_id is not None:
            self._arrival(test_id)["arrived"] += 1

    def note(self, wire: Wire, effective: str | None, status: int, *, dropped: bool) -> None:
        """Count one request and its answer."""
        path = wire.target.partition("?")[0]
        outcome = "dropped" if dropped else str(status)
        if find_kind(wire) in TOKEN_KINDS:
            self._token_calls.setdefault(_name_grant(path, wire.body), Counter())[outcome] += 1
            self._limited += status == 429
        else:
            self._requests[outcome] += 1
        for test_id in wire.fields(TEST_ID)[:1]:
            self._arrival(test_id)["carried_out"] += status < 400
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
            "arrivals": {test_id: dict(counts) for test_id, counts in self._arrivals.items()},
        }

    def _arrival(self, test_id: str) -> dict[str, int]:
        if test_id not in self._arrivals and len(self._arrivals) == MAX_TEST_IDS:
            del self._arrivals[next(iter(self._arrivals))]
        return self._arrivals.setdefault(test_id, {"arrived": 0, "carried_out": 0})


def _name_grant(path: str, body: bytes) -> str:
    if path in _OTHER_CALLS:
        return _OTHER_CALLS[path]
    named = parse_qs(body.decode("utf-8", "replace")).get("grant_type", [""])
    return _GRANTS.get(named[0], "other")

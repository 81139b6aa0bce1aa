"""What kind of request one is: a token call, of one of three servers, or any other.

A token call is a POST that obtains or refreshes a token: of the platform, of RingCX, or of
Engage's legacy login. Everything else is `api`, but for the desk's own requests, which are
of no kind: nothing that is ordered at the desk meets them.
"""

from gateway.simulator.reading import Wire

TOKEN_KINDS = ("platform", "ringcx", "legacy")
API = "api"
KINDS = (*TOKEN_KINDS, API)
DESK = ("-", "simulator")
_TOKEN_PATHS = {
    "/restapi/oauth/token": "platform",
    "/api/auth/login/rc/accesstoken": "ringcx",
    "/api/auth/token/refresh": "ringcx",
    "/api/v1/auth/login": "legacy",
}


def find_kind(wire: Wire) -> str:
    """Name the kind of a request; empty when it is the desk's."""
    path = wire.target.partition("?")[0]
    if wire.method == "POST" and path in _TOKEN_PATHS:
        return _TOKEN_PATHS[path]
    return "" if wire.is_local and is_desk(tuple(path.split("/")[1:])) else API


def is_desk(segments: tuple[str, ...]) -> bool:
    """Tell whether a path is the control desk's."""
    return segments[:2] == DESK

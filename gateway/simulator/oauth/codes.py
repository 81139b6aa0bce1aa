"""Authorization codes with PKCE: what a login leaves behind for the token endpoint.

RFC 6749 section 4.1 and RFC 7636. A code lives 60 s and works once, for the application
and the `redirect_uri` it was made for. With a challenge the verifier must fit, `S256` or
`plain`; without one there must be no verifier. Inferred: the public application has to
send a challenge, and a code that is refused is used up all the same.

The clock is an argument, monotonic seconds.
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass

from gateway.simulator.oauth.refusals import invalid_grant
from gateway.simulator.pace import Pace

CODE_TTL_S = 60
METHODS = ("S256", "plain")


@dataclass(frozen=True, slots=True)
class Request:
    """What an application asks a login for."""

    app: str
    redirect_uri: str
    state: str = ""
    challenge: str = ""
    method: str = "plain"


class Codes:
    """The codes that were given and not yet used."""

    def __init__(self, pace: Pace) -> None:
        """Start with none."""
        self._ttl_s = pace.shorten(CODE_TTL_S)
        self._open: dict[str, tuple[Request, float]] = {}

    def make(self, request: Request, now: float) -> str:
        """Make a code for a login that went well."""
        self._open = {code: kept for code, kept in self._open.items() if now < kept[1]}
        code = secrets.token_urlsafe(24)
        self._open[code] = (request, now + self._ttl_s)
        return code

    def use(self, code: str, app: str, redirect_uri: str, verifier: str, now: float) -> None:
        """Use a code up. Raises Fault when it does not fit."""
        request, until = self._open.pop(code, (None, now))
        if request is None or now >= until:
            raise invalid_grant("Authorization code is invalid or expired")
        if (request.app, request.redirect_uri) != (app, redirect_uri):
            raise invalid_grant("Authorization code belongs to another request")
        if _transform(request.method, verifier) != request.challenge:
            raise invalid_grant("Code verifier does not fit")


def _transform(method: str, verifier: str) -> str:
    if method == "plain" or not verifier:
        return verifier
    digest = hashlib.sha256(verifier.encode("utf-8", "replace")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")

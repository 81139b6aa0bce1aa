"""The grants of the token endpoint: a form becomes a session, a session becomes an answer.

Offered are the JWT bearer grant, `refresh_token` and `authorization_code`. Options of a
login, documented: `access_token_ttl` from 600 to 3600, `refresh_token_ttl` up to 2592000,
`endpoint_id`. Inferred: a value outside is a 400 `invalid_request`, and a
`refresh_token_ttl` of 0 means that no refresh token is wanted, as with an application
whose settings give none.

The options are documented seconds; `expires_in` says how long it really is.
"""

from collections.abc import Callable, Mapping

from gateway.simulator.faults import Document
from gateway.simulator.oauth.apps import JWT
from gateway.simulator.oauth.codes import Codes
from gateway.simulator.oauth.refusals import invalid_grant, invalid_request, unsupported_grant
from gateway.simulator.oauth.sessions import Session, Sessions
from gateway.simulator.pace import Pace
from gateway.simulator.world import EXTENSION_ID

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ACCESS_TTL_S = range(600, 3601)
REFRESH_TTL_S = range(2592001)
DEFAULT_ACCESS_TTL_S = 3600
DEFAULT_REFRESH_TTL_S = 604800
SCOPE = "ReadAccounts ReadCallLog ReadMessages EditMessages"

Form = Mapping[str, str]


class Grants:
    """The grants, over the sessions and codes of one simulator."""

    def __init__(self, sessions: Sessions, codes: Codes) -> None:
        """Offer the three."""
        self._sessions = sessions
        self._codes = codes
        self._offered: dict[str, Callable[[str, Form, float], Session]] = {
            JWT_BEARER: self._by_jwt,
            "refresh_token": self._by_refresh,
            "authorization_code": self._by_code,
        }

    def carry_out(self, app: str, form: Form, now: float) -> Session:
        """Do what a form asks for. Raises Fault."""
        grant = self._offered.get(form.get("grant_type", ""))
        if grant is None:
            raise unsupported_grant()
        return grant(app, form, now)

    def _by_jwt(self, app: str, form: Form, now: float) -> Session:
        if form.get("assertion") != JWT:
            raise invalid_grant("Assertion is invalid")
        return self._begin(app, form, now)

    def _by_refresh(self, app: str, form: Form, now: float) -> Session:
        return self._sessions.refresh(app, form.get("refresh_token", ""), now)

    def _by_code(self, app: str, form: Form, now: float) -> Session:
        code, verifier = form.get("code", ""), form.get("code_verifier", "")
        self._codes.use(code, app, form.get("redirect_uri", ""), verifier, now)
        return self._begin(app, form, now)

    def _begin(self, app: str, form: Form, now: float) -> Session:
        access_s = _ttl(form, "access_token_ttl", ACCESS_TTL_S, DEFAULT_ACCESS_TTL_S)
        refresh_s = _ttl(form, "refresh_token_ttl", REFRESH_TTL_S, DEFAULT_REFRESH_TTL_S)
        return self._sessions.begin(app, form.get("endpoint_id", ""), access_s, refresh_s, now)


def render_tokens(session: Session, pace: Pace, now: float) -> Document:
    """Write the vendor's TokenInfo of a session's current pair."""
    pair = session.current
    refresh: Document = {
        "refresh_token": pair.refresh,
        "refresh_token_expires_in": pace.write_life(pair.refresh_until - now),
    }
    return {
        "access_token": pair.access,
        "token_type": "bearer",
        "expires_in": pace.write_life(pair.access_until - now),
        **(refresh if pair.refresh else {}),
        "scope": SCOPE,
        "owner_id": str(EXTENSION_ID),
        "endpoint_id": session.endpoint_id,
        "session_id": session.id,
    }


def _ttl(form: Form, name: str, allowed: range, default: int) -> int:
    text = form.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) in allowed):
        raise invalid_request(name)
    return int(text)

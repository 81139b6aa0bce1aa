"""RingCX: the second hop. A RingCentral token is exchanged for a JWT that lives 5 minutes.

`POST /api/auth/login/rc/accesstoken` takes the RingCentral token in a form, 5 times a minute;
`POST /api/auth/token/refresh` goes on with a chain. The resources below `/voice/api` take
the JWT as a Bearer, and the RingCentral token never; the AI summaries take it as the cookie
`access_token`, and not as a Bearer. One that has expired is 401 `Jwt is expired`, as
text/plain.

Inferred: a secret in the query of a token call is a 400, so that nobody gets used to it, and
a RingCentral token or a refresh token that is not good is a 401 `access.denied.exception`.
"""

from collections.abc import Callable

from gateway.simulator.answers import Answer, render_document, render_text
from gateway.simulator.engage.errors import (
    access_denied,
    missing_entity,
    render_errors,
    too_many_requests,
    unusable_request,
)
from gateway.simulator.engage.jwts import Jwts
from gateway.simulator.engage.quotas import Quotas
from gateway.simulator.engage.voice import ACCOUNT, MAIN_ACCOUNT_ID, USER_ID, Voice
from gateway.simulator.faults import Document, Fault, unsupported_method
from gateway.simulator.forms import read_form
from gateway.simulator.limits import Limit
from gateway.simulator.oauth.sessions import Sessions
from gateway.simulator.rates import WINDOW_S, Rates
from gateway.simulator.reading import Reading

EXCHANGES = 5
EXPIRED = "Jwt is expired"
_SECRETS = frozenset({"rcAccessToken", "refresh_token", "access_token"})


class RingCX:
    """The current platform of the contact centre."""

    def __init__(
        self, sessions: Sessions, voice: Voice, rates: Rates, wall: Callable[[], float]
    ) -> None:
        """Trust the tokens of `sessions`; `wall` gives seconds since 1970."""
        self.made = 0
        self.jwts = Jwts(rates.pace)
        self._sessions = sessions
        self._voice = voice
        self._wall = wall
        self._rates = rates
        self._quotas = Quotas(rates)
        self._limit = Limit(EXCHANGES, rates.pace.shorten(WINDOW_S))

    def answer(self, reading: Reading, now: float) -> Answer:
        """Answer a request; `now` is monotonic seconds."""
        try:
            return self._serve(reading, now)
        except Fault as fault:
            return render_errors(fault, reading, self._wall())

    def _serve(self, reading: Reading, now: float) -> Answer:
        match reading.segments:
            case ("api", "auth", "login", "rc", "accesstoken"):
                return self._exchange(reading, now)
            case ("api", "auth", "token", "refresh"):
                return self._refresh(reading, now)
            case ("voice", "api", "v1", "summary", "accounts", _, "segments", _, "agent" | "auto"):
                return self._expired(_cookie(reading), now) or self._summary(reading, now)
            case ("voice", "api", *_):
                return self._expired(_bearer(reading), now) or self._resource(reading, now)
            case _:
                raise missing_entity()

    def _exchange(self, reading: Reading, now: float) -> Answer:
        form = _read_secrets(reading)
        if self._rates.charge("ringcx-login", self._limit, now, always=True):
            raise too_many_requests()
        if form.get("rcTokenType", "").lower() != "bearer":
            raise unusable_request("rcTokenType must be Bearer")
        try:
            self._sessions.check(form.get("rcAccessToken", ""), now)
        except Fault:
            raise access_denied("The RingCentral access token is not valid") from None
        self.made += 1
        wanted = form.get("includeRefresh") or dict(reading.query).get("includeRefresh")
        return self._render_login(now, with_refresh=wanted == "true")

    def _refresh(self, reading: Reading, now: float) -> Answer:
        form = _read_secrets(reading)
        if not self.jwts.use_refresh(form.get("refresh_token", "")):
            raise access_denied("The refresh token is not valid")
        return self._render_login(now, with_refresh=True)

    def _render_login(self, now: float, *, with_refresh: bool) -> Answer:
        agent = {
            **{"agentId": 1790, "firstName": "Ada", "lastName": "Byron", "agentType": "AGENT"},
            **{"accountId": ACCOUNT["accountId"], "accountName": ACCOUNT["accountName"]},
            "email": "ada@example.com",
        }
        document: Document = {
            "accessToken": self.jwts.make(now, self._wall()),
            "refreshToken": self.jwts.make_refresh() if with_refresh else None,
            "tokenType": "Bearer",
            "mainAccountId": MAIN_ACCOUNT_ID,
            "agentDetails": [agent],
            "adminId": int(USER_ID),
            "adminUrl": "/voice/admin/",
            "agentUrl": "/voice/agent/",
            "platformId": "simulated",
            "rcUser": True,
            "ssoLogin": False,
        }
        return render_document(document).adding({"Cache-Control": "no-store"})

    def _expired(self, token: str, now: float) -> Answer | None:
        if self.jwts.is_good(token, now):
            return None
        if self.jwts.is_ours(token):
            return render_text(EXPIRED, 401)
        raise access_denied("Access is denied")

    def _summary(self, reading: Reading, now: float) -> Answer:
        self._quotas.charge(reading, now)
        return _summarize(reading)

    def _resource(self, reading: Reading, now: float) -> Answer:
        self._quotas.charge(reading, now)
        if reading.segments[2:4] != ("v1", "admin"):
            raise missing_entity()
        return self._voice.answer(reading.method, reading.segments[4:])


def _read_secrets(reading: Reading) -> dict[str, str]:
    if reading.method != "POST":
        raise unsupported_method(reading.method, "POST")
    if _SECRETS & {name for name, _ in reading.query}:
        raise unusable_request("A token belongs into the body")
    return read_form(reading.wire)


def _bearer(reading: Reading) -> str:
    headers = reading.wire.fields("Authorization")
    scheme, _, value = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
    if scheme.lower() != "bearer":
        raise access_denied("Full authentication is required")
    return value.strip()


def _cookie(reading: Reading) -> str:
    if reading.wire.fields("Authorization"):
        raise access_denied("A summary takes the cookie access_token, and no Authorization")
    pairs = (pair.strip() for field in reading.wire.fields("Cookie") for pair in field.split(";"))
    values = [pair.partition("=")[2] for pair in pairs if pair.startswith("access_token=")]
    if len(values) != 1:
        raise access_denied("Full authentication is required")
    return values[0]


def _summarize(reading: Reading) -> Answer:
    if reading.method not in ("GET", "HEAD"):
        raise unsupported_method(reading.method, "GET, HEAD")
    return render_text("The caller asked for a callback, and was promised one.", 200)

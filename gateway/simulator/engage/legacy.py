"""Engage's legacy API, below `/api/v1`: a login of its own, and `X-Auth-Token`.

`POST auth/login` takes user name and password in a form. Its token lives an hour, or two
weeks with `stayLoggedIn=true`, from its latest use. `admin/token` lists, makes and removes
permanent tokens: every POST makes another one, which is why they are counted. Inferred: the
bodies of the 401s, which are `Errors`; the one of a token that is over says `expired`.

The constants are public on purpose: they open a simulator, nothing else.
"""

from collections.abc import Callable
from uuid import uuid4

from gateway.simulator.answers import Answer, render_document, render_text
from gateway.simulator.engage.errors import (
    access_denied,
    missing_entity,
    render_errors,
    unusable_request,
)
from gateway.simulator.engage.quotas import Quotas
from gateway.simulator.engage.voice import ACCOUNT, USER_ID, Voice
from gateway.simulator.faults import Document, Fault, unsupported_method
from gateway.simulator.forms import read_form
from gateway.simulator.rates import Rates
from gateway.simulator.reading import Reading

LEGACY_USERNAME = "ada@example.com"
LEGACY_PASSWORD = "simulator-password"  # noqa: S105 - it opens a simulator, as TOKEN does
LEGACY_TOKEN = "simulator-legacy-token"  # noqa: S105 - it opens a simulator, as TOKEN does
LIFETIME_S = 3600
LONG_LIFETIME_S = 14 * 24 * 3600


class Legacy:
    """The legacy portal of the contact centre."""

    def __init__(self, voice: Voice, rates: Rates, wall: Callable[[], float]) -> None:
        """Start with one permanent token; `wall` gives seconds since 1970."""
        self.made = 0
        self._voice = voice
        self._pace = rates.pace
        self._quotas = Quotas(rates)
        self._wall = wall
        self._permanent = [LEGACY_TOKEN]
        # Of a login's token: when it is over, and how long it lives from each use.
        self._sliding: dict[str, tuple[float, float]] = {}

    def answer(self, reading: Reading, now: float) -> Answer:
        """Answer a request; `now` is monotonic seconds."""
        try:
            return self._serve(reading, now)
        except Fault as fault:
            return render_errors(fault, reading, self._wall())

    def expire(self) -> None:
        """Let every token of a login be over."""
        self._sliding = {
            token: (float("-inf"), life_s) for token, (_, life_s) in self._sliding.items()
        }

    def _serve(self, reading: Reading, now: float) -> Answer:
        path = reading.segments[2:]
        if path == ("auth", "login"):
            return self._login(reading, now)
        self._check(reading, now)
        self._quotas.charge(reading, now)
        match path:
            case ("admin", "token"):
                return self._tokens(reading.method)
            case ("admin", "token", token):
                return self._remove(reading.method, token)
            case ("admin", *rest):
                return self._voice.answer(reading.method, tuple(rest))
            case _:
                raise missing_entity()

    def _login(self, reading: Reading, now: float) -> Answer:
        if reading.method != "POST":
            raise unsupported_method(reading.method, "POST")
        if "password" in dict(reading.query):
            raise unusable_request("A password belongs into the body")
        form = read_form(reading.wire)
        if (form.get("username"), form.get("password")) != (LEGACY_USERNAME, LEGACY_PASSWORD):
            raise access_denied("Invalid user name or password")
        stays = form.get("stayLoggedIn") == "true"
        life_s = self._pace.shorten(LONG_LIFETIME_S if stays else LIFETIME_S)
        token = str(uuid4())
        self._sliding[token] = (now + life_s, life_s)
        document: Document = {
            "authToken": token,
            "platformHost": reading.origin,
            "accounts": [ACCOUNT],
            "user": {"userId": int(USER_ID), "userName": LEGACY_USERNAME},
        }
        return render_document(document).adding({"Cache-Control": "no-store"})

    def _check(self, reading: Reading, now: float) -> None:
        headers = reading.wire.fields("X-Auth-Token")
        if len(headers) != 1:
            raise access_denied("Full authentication is required")
        token = headers[0]
        if token in self._permanent:
            return
        until, life_s = self._sliding.get(token, (None, 0.0))
        if until is None:
            raise access_denied("Access is denied")
        if now >= until:
            raise access_denied("Auth token is expired")
        self._sliding[token] = (now + life_s, life_s)

    def _tokens(self, method: str) -> Answer:
        if method in ("GET", "HEAD"):
            return render_document(list(self._permanent))
        if method != "POST":
            raise unsupported_method(method, "GET, HEAD, POST")
        self.made += 1
        self._permanent.append(str(uuid4()))
        return render_text(self._permanent[-1], 200)

    def _remove(self, method: str, token: str) -> Answer:
        if method != "DELETE":
            raise unsupported_method(method, "DELETE")
        if token not in self._permanent:
            raise missing_entity()
        self._permanent.remove(token)
        return Answer(204)

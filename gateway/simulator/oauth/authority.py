"""The endpoints of the authorisation server: token, revoke, authorize.

The token endpoint takes 5 calls a minute of one application; the next is 429 CMN-301 with
`Retry-After`, and every further one within the penalty begins it anew. A call that does
not prove its application counts for nobody. Its answers have the headers of the group
`auth`. Revoking needs the application as well, takes the token from the query or the form,
ends the whole session, and is 200 for a token that is unknown (RFC 7009, section 2.2).

No method is tunnelled here: an override that makes a POST something else is a 405.
"""

from collections.abc import Callable

from gateway.simulator.answers import Answer, render_document, render_fault
from gateway.simulator.faults import Fault, exceeded_rate, unsupported_method
from gateway.simulator.forms import read_form
from gateway.simulator.limits import Limit
from gateway.simulator.oauth.apps import APPS, identify_app
from gateway.simulator.oauth.codes import Codes
from gateway.simulator.oauth.grants import Grants, render_tokens
from gateway.simulator.oauth.page import read_request, render_page, render_redirect
from gateway.simulator.oauth.refusals import invalid_request
from gateway.simulator.oauth.sessions import Sessions
from gateway.simulator.rates import PENALTY_S, WINDOW_S, Rates
from gateway.simulator.reading import Reading

GROUP = "auth"

Endpoint = Callable[[Reading, float], Answer]


class Authority:
    """The authorisation server of one simulator."""

    def __init__(self, sessions: Sessions, rates: Rates) -> None:
        """Serve over these sessions."""
        pace = self._pace = rates.pace
        self._rates = rates
        self._sessions = sessions
        self._codes = Codes(pace)
        self._grants = Grants(sessions, self._codes)
        window_s, penalty_s = pace.shorten(WINDOW_S), pace.shorten(PENALTY_S)
        self._limits = {app: Limit(rates.limits["Auth"], window_s, penalty_s) for app in APPS}
        self._served: dict[str, dict[str, Endpoint]] = {
            "token": {"POST": self._token},
            "revoke": {"POST": self._revoke},
            "authorize": {"GET": self._show_login, "HEAD": self._show_login, "POST": self._login},
        }

    def answer(self, reading: Reading, now: float) -> Answer:
        """Answer a request for one of the endpoints; `now` is monotonic seconds."""
        endpoints = self._served[reading.segments[2]]
        try:
            if reading.method not in endpoints:
                raise unsupported_method(reading.method, ", ".join(endpoints))
            return endpoints[reading.method](reading, now)
        except Fault as fault:
            return render_fault(fault)

    def _token(self, reading: Reading, now: float) -> Answer:
        form = read_form(reading.wire)
        app = identify_app(reading.wire, form)
        limit = self._limits[app]
        wait_s = self._rates.charge(GROUP, limit, now, always=True)
        told = self._rates.describe(GROUP, limit, now)
        if wait_s:
            return render_fault(exceeded_rate(self._pace.write_wait(wait_s))).adding(told)
        try:
            session = self._grants.carry_out(app, form, now)
        except Fault as fault:
            return render_fault(fault).adding(told)
        private = {"Cache-Control": "no-store", "Pragma": "no-cache"}
        document = render_tokens(session, self._pace, now)
        return render_document(document).adding({**private, **told})

    def _revoke(self, reading: Reading, _: float) -> Answer:
        named = dict(reading.query).get("token", "")
        form = read_form(reading.wire) if reading.wire.body_length or not named else {}
        app = identify_app(reading.wire, form)
        token = form.get("token") or named
        if not token or (named and named != token):
            raise invalid_request("token")
        self._sessions.end(app, token)
        return Answer(200)

    def _show_login(self, reading: Reading, _: float) -> Answer:
        return render_page(read_request(dict(reading.query)))

    def _login(self, reading: Reading, now: float) -> Answer:
        form = read_form(reading.wire)
        request = read_request({**dict(reading.query), **form})
        if form.get("login") != "yes":
            return render_page(request)
        return render_redirect(request, self._codes.make(request, now))

"""The life of a request in the simulator, without a socket.

The order: read what arrived, let it meet the trouble that was asked for, or give it to who
serves its path (the authorisation server, the platform, RingCX, Engage's legacy API, Engage
Digital), and note it with its answer. Everything a client sees goes through here, so every
answer has the vendor's headers, and an error of our own says nothing but 500.

The control endpoint is served before all of that and leaves no note.
This module must not know aiohttp; `server` does.
"""

import logging
from collections.abc import Callable
from typing import Protocol
from uuid import uuid4

from gateway.simulator.answers import Answer, render_fault
from gateway.simulator.control.desk import Control, Levers
from gateway.simulator.control.endpoint import Endpoint
from gateway.simulator.control.troubles import Trouble
from gateway.simulator.engage.digital import Digital
from gateway.simulator.engage.legacy import Legacy
from gateway.simulator.engage.ringcx import RingCX
from gateway.simulator.engage.voice import Voice
from gateway.simulator.faults import Fault, internal, ordered
from gateway.simulator.oauth.authority import Authority
from gateway.simulator.oauth.sessions import Sessions
from gateway.simulator.platform import Platform
from gateway.simulator.rates import Rates
from gateway.simulator.reading import Reading, Wire, parse_wire
from gateway.simulator.seeds import sow
from gateway.simulator.seen import Notebook

logger = logging.getLogger(__name__)


class Realm(Protocol):
    """Who serves a part of the paths; it renders its own refusals."""

    def answer(self, reading: Reading, now: float) -> Answer:
        """Answer a request; `now` is monotonic seconds."""


class Service:
    """One simulated vendor with its data, its counters and its notebook."""

    def __init__(
        self,
        token: str,
        clock: Callable[[], float],
        rates: Rates,
        wall: Callable[[], float],
    ) -> None:
        """Seed the data; `clock` gives monotonic seconds, `wall` seconds since 1970."""
        self.world = sow()
        self.notebook = Notebook()
        self._clock = clock
        sessions = Sessions(token, rates.pace)
        self._platform = Platform(self.world, sessions, rates)
        self._authority = Authority(sessions, rates)
        voice = Voice()
        self._ringcx = RingCX(sessions, voice, rates, wall)
        self._legacy = Legacy(voice, rates, wall)
        self._digital = Digital(rates)
        self.control = Control(self._levers(sessions), rates)
        self._endpoint = Endpoint(self.control)

    def answer(self, wire: Wire, own_origin: str, trouble: Trouble | None = None) -> Answer:
        """Answer a request. Never raises."""
        try:
            reading = parse_wire(wire, own_origin)
        except Fault as fault:
            answer = render_fault(fault)
            self._note(wire, None, answer, trouble)
            return finish(answer)
        answer = self._judge(reading, trouble)
        if not self._endpoint.serves(reading):
            self._note(wire, reading.method, answer, trouble)
        return finish(answer)

    def _note(
        self, wire: Wire, effective: str | None, answer: Answer, trouble: Trouble | None
    ) -> None:
        self.notebook.write(wire, effective)
        dropped = trouble is not None and trouble.cut is not None
        self.control.ledger.note(wire, effective, answer.status, dropped=dropped)

    def _judge(self, reading: Reading, trouble: Trouble | None) -> Answer:
        try:
            if self._endpoint.serves(reading):
                return self._endpoint.answer(reading)
            if trouble and trouble.status:
                return render_fault(ordered(trouble.status, trouble.retry_after))
            return self._find_realm(reading.segments).answer(reading, self._clock())
        except Exception:
            logger.exception("the simulator failed to answer")
            return render_fault(internal())

    def _find_realm(self, segments: tuple[str, ...]) -> Realm:
        match segments:
            case ("restapi", "oauth", "token" | "revoke" | "authorize"):
                return self._authority
            case ("voice", *_) | ("api", "auth", *_):
                return self._ringcx
            case ("api", "v1", *_):
                return self._legacy
            case ("1.0", *_):
                return self._digital
            case _:
                return self._platform

    def _levers(self, sessions: Sessions) -> Levers:
        return Levers(
            expire={
                "platform": sessions.expire,
                "ringcx": self._ringcx.jwts.expire,
                "legacy": self._legacy.expire,
                "sessions": sessions.end_all,
            },
            show={
                "sessions_made": lambda: sessions.made,
                "sessions_active": lambda: sessions.count(self._clock()),
                "ringcx_sessions_made": lambda: self._ringcx.made,
                "permanent_tokens_made": lambda: self._legacy.made,
            },
        )


def finish(answer: Answer) -> Answer:
    """Add the headers that every answer of the vendor has."""
    return answer.adding(
        {
            "RCRequestId": str(uuid4()),
            "RoutingKey": "SIM01P01PAS01",
            "Content-Language": "en-US",
        }
    )

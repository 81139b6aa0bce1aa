"""The control endpoint, below `/-/simulator/`; options are in the query.

    GET  seen                                   what happened, in numbers (JSON)
    POST expire   kind=access                   also platform, ringcx, legacy, sessions
    POST fail     WHICH status=503 retry_after= the next ones fail and are not carried out
    POST stall    WHICH seconds=                they are held, then carried out
    POST drop     WHICH at=answer               cut: also at=arrival, not carried out; at=body
    POST release                                what is held goes on
    POST rates    headers=off                   answers lack X-Rate-Limit-*; headers=on
    POST reset                                  forget counts and trouble to come

WHICH is `count=1 kind= method=`: any token call, kind=platform, ringcx or legacy for one sort
of it, kind=api for every other request. Only loopback finds this. Seconds are real ones.
"""

from collections.abc import Callable

from gateway.simulator.answers import Answer, render_document, render_fault
from gateway.simulator.control.desk import Control
from gateway.simulator.control.kinds import KINDS, TOKEN_KINDS, is_desk
from gateway.simulator.control.troubles import Cut
from gateway.simulator.faults import (
    Fault,
    invalid_parameter,
    invalid_uri,
    unsupported_method,
)
from gateway.simulator.filters import integer, one
from gateway.simulator.reading import Pairs, Reading

EXPIRABLE = ("access", *TOKEN_KINDS, "sessions")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_MAX_COUNT = 100_000
_MAX_SECONDS = 3600.0


class Endpoint:
    """The desk, for other processes."""

    def __init__(self, control: Control) -> None:
        """Serve one desk."""
        self._control = control
        self._posts: dict[str, Callable[[Pairs], None]] = {
            "expire": self._expire,
            "fail": self._fail,
            "stall": self._stall,
            "drop": self._drop,
            "rates": self._rates,
            "release": lambda _: control.release(),
            "reset": lambda _: control.reset(),
        }

    @staticmethod
    def serves(reading: Reading) -> bool:
        """Tell whether a request is for the desk, and may be."""
        return is_desk(reading.segments) and reading.wire.is_local

    def answer(self, reading: Reading) -> Answer:
        """Carry out what is asked."""
        try:
            self._act("/".join(reading.segments[2:]), reading)
        except Fault as fault:
            return render_fault(fault)
        return render_document(self._control.report())

    def _act(self, name: str, reading: Reading) -> None:
        if name == "seen":
            if reading.method not in ("GET", "HEAD"):
                raise unsupported_method(reading.method, "GET, HEAD")
            return
        if name not in self._posts:
            raise invalid_uri()
        if reading.method != "POST":
            raise unsupported_method(reading.method, "POST")
        self._posts[name](reading.query)

    def _expire(self, query: Pairs) -> None:
        self._control.expire(_choice(query, "kind", EXPIRABLE) or "access")

    def _fail(self, query: Pairs) -> None:
        status = integer(query, "status", 503, low=400, high=599)
        retry_after = one(query, "retry_after")
        if not retry_after.isascii() or not retry_after.isprintable():
            raise invalid_parameter("retry_after")
        self._control.fail(_count(query), status, retry_after, *_which(query))

    def _stall(self, query: Pairs) -> None:
        self._control.stall(_count(query), _seconds(query), *_which(query))

    def _drop(self, query: Pairs) -> None:
        at = Cut(_choice(query, "at", tuple(Cut)) or Cut.ANSWER)
        self._control.drop(_count(query), *_which(query), at)

    def _rates(self, query: Pairs) -> None:
        self._control.tell_rates(told=_choice(query, "headers", ("on", "off")) != "off")


def _count(query: Pairs) -> int:
    return integer(query, "count", 1, low=1, high=_MAX_COUNT)


def _which(query: Pairs) -> tuple[str, str]:
    return _choice(query, "kind", KINDS), _choice(query, "method", METHODS)


def _choice(query: Pairs, name: str, allowed: tuple[str, ...]) -> str:
    chosen = one(query, name)
    if chosen not in ("", *allowed):
        raise invalid_parameter(name, f"choose from {', '.join(allowed)}")
    return chosen


def _seconds(query: Pairs) -> float | None:
    text = one(query, "seconds")
    try:
        seconds = float(text or "0")
    except ValueError:
        seconds = -1.0
    # Not a number compares as false.
    if not 0 <= seconds <= _MAX_SECONDS:
        raise invalid_parameter("seconds", f"give a number from 0 to {_MAX_SECONDS:.0f}")
    return seconds if text else None

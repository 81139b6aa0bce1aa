"""Sessions: what a login makes, what a refresh turns over, and what ends them.

Documented by the vendor: five sessions for one user of one application, a sixth ends the
oldest; a login with the `endpoint_id` of a session replaces it; a refresh token works once
and its access token dies with it, at once. For lost answers the old refresh token gives the
same new pair again, until 10 s after the new access token was first used, or for 60 min
while it was not. Inferred: the oldest session is the one that began first.

Here is one user, so all sessions of one application are that user's. The static token
belongs to no session and never expires. The clock is an argument, monotonic seconds.
"""

import math
import secrets
from dataclasses import dataclass, field

from gateway.simulator.oauth import refusals
from gateway.simulator.pace import Pace

MAX_SESSIONS = 5
REUSE_AFTER_USE_S = 10
REUSE_UNUSED_S = 3600
_ACCESS, _REFRESH = "SIMA.", "SIMR."


@dataclass(slots=True)
class Pair:
    """One generation of a session's tokens; `refresh` is empty when none was given."""

    access: str
    refresh: str
    made_at: float
    access_until: float
    refresh_until: float
    first_used_at: float | None = None
    refused: bool = False


@dataclass(slots=True)
class Session:
    """A login that goes on; the times to live are real seconds."""

    app: str
    endpoint_id: str
    access_ttl_s: float
    refresh_ttl_s: float
    current: Pair
    previous: Pair | None = None
    id: str = field(default_factory=lambda: str(secrets.randbelow(10**11)))

    def is_alive(self, now: float) -> bool:
        """Tell whether one of its tokens still opens something."""
        return now < max(self.current.access_until, self.current.refresh_until)


class Sessions:
    """All sessions of the one user, oldest first."""

    def __init__(self, token: str, pace: Pace) -> None:
        """Start with none; `token` is the one that never expires."""
        self.made = 0
        self._static = token
        self._pace = pace
        self._alive: list[Session] = []

    def begin(
        self, app: str, endpoint_id: str, access_ttl_s: float, refresh_ttl_s: float, now: float
    ) -> Session:
        """Begin a session; the times to live are documented seconds, no refresh token at 0."""
        endpoint = endpoint_id or secrets.token_urlsafe(12)
        access_s, refresh_s = self._pace.shorten(access_ttl_s), self._pace.shorten(refresh_ttl_s)
        session = Session(app, endpoint, access_s, refresh_s, _pair(access_s, refresh_s, now))
        self._alive = [
            other
            for other in self._alive
            if other.is_alive(now) and (other.app, other.endpoint_id) != (app, endpoint)
        ]
        own = [other for other in self._alive if other.app == app]
        if len(own) >= MAX_SESSIONS:
            self._alive.remove(own[0])
        self._alive.append(session)
        self.made += 1
        return session

    def refresh(self, app: str, token: str, now: float) -> Session:
        """Turn a session's pair over, or give the new one again. Raises Fault."""
        for session in self._alive:
            if session.app != app or not token:
                continue
            if token == session.current.refresh and now < session.current.refresh_until:
                fresh = _pair(session.access_ttl_s, session.refresh_ttl_s, now)
                session.previous, session.current = session.current, fresh
                return session
            if self._is_replay(session, token, now):
                return session
        raise refusals.invalid_grant()

    def check(self, access: str, now: float) -> str:
        """Name the application of a good access token, and mark it as used. Raises Fault.

        The static token is that of an application without a name.
        """
        if access == self._static:
            return ""
        for session in self._alive:
            if access == session.current.access:
                _use(session.current, now)
                return session.app
            if session.previous and access == session.previous.access:
                raise _replaced(session.previous)
        raise refusals.missing_token() if is_shaped(access) else refusals.unparsable_token()

    def end(self, app: str, token: str) -> None:
        """End the session of a token; one that is unknown is no error."""
        self._alive = [
            session
            for session in self._alive
            if session.app != app or token not in (session.current.access, session.current.refresh)
        ]

    def end_all(self) -> None:
        """End every session."""
        self._alive.clear()

    def expire(self) -> None:
        """Let every access token be over; the refresh tokens live on."""
        for session in self._alive:
            session.current.access_until = -math.inf

    def count(self, now: float) -> int:
        """Count the sessions that are alive."""
        return sum(session.is_alive(now) for session in self._alive)

    def _is_replay(self, session: Session, token: str, now: float) -> bool:
        if session.previous is None or token != session.previous.refresh:
            return False
        used = session.current.first_used_at
        if used is None:
            return now < session.current.made_at + self._pace.shorten(REUSE_UNUSED_S)
        return now < used + self._pace.shorten(REUSE_AFTER_USE_S)


def is_shaped(access: str) -> bool:
    """Tell whether a value looks like an access token that was given here."""
    return access.startswith(_ACCESS)


def _pair(access_s: float, refresh_s: float, now: float) -> Pair:
    access, refresh = (prefix + secrets.token_urlsafe(32) for prefix in (_ACCESS, _REFRESH))
    return Pair(access, refresh if refresh_s else "", now, now + access_s, now + refresh_s)


def _use(pair: Pair, now: float) -> None:
    if now >= pair.access_until:
        raise refusals.expired_token()
    if pair.first_used_at is None:
        pair.first_used_at = now


def _replaced(pair: Pair) -> Exception:
    first, pair.refused = not pair.refused, True
    return refusals.corrupted_token() if first else refusals.missing_token()

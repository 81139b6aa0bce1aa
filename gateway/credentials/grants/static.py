"""The grant `static`: a token that somebody else obtained, from a variable or a file.

A file is looked at again at most once a second, so a token that an operator or a
sidecar rotates is used without a restart. A file that is missing or half-written for a
moment does no harm: the token that was read last stays. One that upstream refuses stays,
too, because only one path may mean it; that is told once.

Rule: the request path never reads a file that has not changed.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping

from gateway.config.secrets import Reference, Unresolved
from gateway.core.secret import Secret
from gateway.credentials.events import Events
from gateway.credentials.tokens import Status, Token
from gateway.errors import CredentialUnavailable

# A change is asked to be seen within 5 seconds; a look costs a microsecond.
LOOK_EVERY_S = 1.0
_REFUSED = "upstream refused the token, which is sent until there is another one"


class StaticCredential:
    """Gives the token that a reference leads to."""

    # It lives no longer for being used.
    on_use: Callable[[], None] | None = None

    def __init__(
        self,
        name: str,
        reference: Reference,
        environ: Mapping[str, str],
        events: Events,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._reference = reference
        self._environ = environ
        self._events = events
        self._clock = clock
        self._token: Token | None = None
        self._stamp: tuple[int, int, int] | None = None
        self._next_look = 0.0
        # Why the reference could not be read when it was last looked at.
        self._trouble = ""
        # The generation of the latest token that upstream refused.
        self._refused = 0

    def ready(self) -> Token | None:
        """Return the token, unless its file has to be looked at first."""
        is_due = self._reference.kind == "file" and self._clock() >= self._next_look
        return None if is_due else self._token

    async def current(self, deadline: float) -> Token:
        """Return the token; raises `CredentialUnavailable` when there never was one."""
        return self.ready() or self._look(self._token)

    def refuse(self, token: Token, place: bytes = b"") -> bool:
        """Look whether there is another token by now; tell once of each that was the last."""
        if self._look(self._token).generation > token.generation:
            return True
        if self._refused < token.generation:
            self._refused = token.generation
            self._events.refresh_finished(self._name, "refused", _REFUSED)
        return False

    def acquit(self, place: bytes) -> None:
        """Do nothing: a look costs no token call."""

    def seed(self) -> str:
        """Return the fingerprint of the token, which nobody knows another one to be the same as."""
        try:
            return (self.ready() or self._look(self._token)).seed
        except CredentialUnavailable:
            return ""

    def status(self) -> Status:
        """Return what may be told: not when it ends, which nobody says of such a token."""
        if self._token is None:
            outcome = "unreadable" if self._trouble else "none"
            return Status("static", outcome=outcome, reason=self._trouble)
        generation, reason = self._token.generation, self._trouble
        outcome = "unreadable" if reason else "read"
        if not reason and self._refused == generation:
            outcome, reason = "refused", _REFUSED
        return Status("static", generation, outcome=outcome, reason=reason)

    def _look(self, known: Token | None) -> Token:
        """Read the reference if it changed; keep what is known when it cannot be read."""
        self._next_look = self._clock() + LOOK_EVERY_S
        stamp = self._stamp_now()
        if known is not None and stamp == self._stamp:
            return known
        try:
            value = self._reference.resolve(self._environ, is_token=True)
        except Unresolved as trouble:
            return self._go_on(known, str(trouble))
        self._stamp, self._trouble = stamp, ""
        self._token = token = self._next(known, value)
        if known is not None and token is not known:
            self._events.token_changed(self._name, token.generation)
        return token

    def _go_on(self, known: Token | None, trouble: str) -> Token:
        """Keep the token that was read last, and say once why."""
        if trouble != self._trouble:
            self._trouble = trouble
            self._events.token_unreadable(self._name, trouble)
        if known is None:
            raise CredentialUnavailable(
                f"the token of credential {self._name} cannot be read", retry_after_s=5
            )
        return known

    def _stamp_now(self) -> tuple[int, int, int] | None:
        if self._reference.kind != "file":
            return None
        try:
            seen = os.stat(self._reference.place)
        except OSError:
            return None
        return seen.st_mtime_ns, seen.st_size, seen.st_ino

    @staticmethod
    def _next(known: Token | None, value: Secret) -> Token:
        if known is not None and known.value == value:
            return known
        seed = hashlib.sha256(value.reveal()).hexdigest()[:32]
        return Token(value, known.generation + 1 if known is not None else 1, seed)

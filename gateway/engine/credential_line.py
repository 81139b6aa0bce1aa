"""The field that carries the gateway's own credential, and its line as bytes.

A token lasts for many requests, so its line is made once for each token.

Rule: the line is a secret in clear; it is kept where the token is, and goes only to the wire.
"""

from __future__ import annotations

from gateway.core.message import OutboundField, render_fields
from gateway.core.secret import Secret
from gateway.credentials.tokens import Token
from gateway.policy.routes import Scheme


def credential_fields(scheme: Scheme, token: Token | None) -> tuple[OutboundField, ...]:
    """Return the field that carries the gateway's own credential, if it has one."""
    if token is None:
        return ()
    value = token.value.reveal()
    match scheme:
        case Scheme.X_AUTH_TOKEN:
            return ((b"X-Auth-Token", token.value),)
        case Scheme.COOKIE:
            return ((b"Cookie", Secret(b"access_token=" + value)),)
        case _:
            return ((b"Authorization", Secret(b"Bearer " + value)),)


class CredentialLine:
    """The latest line of one upstream; empty while there is no token."""

    __slots__ = ("_line", "_scheme", "_token")

    def __init__(self) -> None:
        self._scheme: Scheme | None = None
        self._token: Token | None = None
        self._line = Secret(b"")

    def render(self, scheme: Scheme, token: Token | None) -> bytes:
        """Return the line of a token, in clear."""
        if token is not self._token or scheme is not self._scheme:
            self._scheme, self._token = scheme, token
            self._line = Secret(render_fields(credential_fields(scheme, token)))
        return self._line.reveal()

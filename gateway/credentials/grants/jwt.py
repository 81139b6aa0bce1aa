"""The grant `jwt`: a JWT of the Developer Console becomes a session, and stays one.

The refresh token of the session is used as long as it lives, because a session is what
the vendor counts; the JWT begins a new one only when there is none. The same endpoint
name is sent every time, so that a new session of ours takes the place of the old one.

Rule: after a refused refresh token the JWT is presented once, unless somebody else has a newer
session; one that is over is not presented again; a refused JWT is final.
"""

from __future__ import annotations

import secrets

from gateway.credentials.endpoint import Form
from gateway.credentials.failures import TokenCallFailed
from gateway.credentials.grants.oauth import OAuthApp, Vault
from gateway.credentials.holding import Holding

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class JwtGrant:
    """Obtains RingCentral tokens by JWT (RFC 7523) and refresh."""

    slides = False
    begins_anew = True

    def __init__(self, app: OAuthApp) -> None:
        self._app = app
        # An endpoint of its own for a process that cannot see what the others do.
        self._lonely = f"-{secrets.token_hex(4)}"

    def seed(self) -> str:
        """Return the fingerprint of the application and its JWT."""
        return _seed_of(self._app.vault)

    def secrets(self) -> tuple[str, ...]:
        """Return the fingerprints of all that is presented."""
        return self._app.vault.fingerprints()

    async def obtain(self, held: Holding | None, *, alone: bool) -> Holding:
        """Refresh, or log in."""
        vault = self._app.vault.once()
        if held is not None and (token := self._app.spendable(held)) is not None:
            try:
                return await self._app.refresh(vault, token, held.seed, held.refresh_expires_at)
            except TokenCallFailed as failure:
                failure.may_begin = failure.is_refusal
                raise
        form: Form = {
            "assertion": vault.require("jwt"),
            **self._app.wishes.form(self._lonely if alone else ""),
        }
        return await self._app.ask(vault, GRANT_TYPE, form, _seed_of(vault))

    async def close(self) -> None:
        """Close the connections."""
        await self._app.endpoint.close()


def _seed_of(vault: Vault) -> str:
    return vault.fingerprint("client_id", "jwt")

"""The grant `refresh_token`: a session that a person began elsewhere, carried on.

Each refresh token is good once. A pair that was obtained is written to the store before
its first use; if the process dies before that, the vendor still answers the older refresh
token with the same pair, because the newer one was never used.

Rule 1: the stored chain is carried on unless another refresh token is configured since.
Rule 2: a chain of which the vendor says that it is over, and nobody else has a newer pair, is
        carried on from the configured token once, in case the store was behind; then only a
        new token mends that. Any other failure leaves the chain as it was.
Rule 3: whether a refresh token has ended, the vendor says: clocks are set, and there is
        nothing better to present.
"""

from __future__ import annotations

from gateway.core.secret import Secret
from gateway.credentials.failures import Outcome, TokenCallFailed
from gateway.credentials.grants.oauth import OAuthApp, Vault
from gateway.credentials.holding import Holding


class RefreshGrant:
    """Obtains RingCentral tokens by refresh alone."""

    slides = False
    begins_anew = False

    def __init__(self, app: OAuthApp) -> None:
        self._app = app

    def seed(self) -> str:
        """Return the fingerprint of the application and the configured refresh token.

        It is empty when none is configured: then whatever chain is stored is carried on.
        """
        vault = self._app.vault.once()
        return _seed_of(vault) if _configured(vault) else ""

    def secrets(self) -> tuple[str, ...]:
        """Return the fingerprints of all that is presented."""
        return self._app.vault.fingerprints()

    async def obtain(self, held: Holding | None, *, alone: bool) -> Holding:
        """Spend the newest refresh token there is."""
        app, vault = self._app, self._app.vault.once()
        if held is not None and (token := held.refresh) is not None and self._is_worth(token):
            try:
                return await app.refresh(vault, token, held.seed, held.refresh_expires_at)
            except TokenCallFailed as failure:
                failure.may_begin = failure.is_over and not self._is_last(token)
                raise
        if (begins := vault.get("refresh_token")) is None:
            raise TokenCallFailed(
                Outcome.REJECTED, "no refresh token is configured, and the store has none"
            )
        return await app.refresh(vault, begins, _seed_of(vault))

    def _is_worth(self, token: Secret) -> bool:
        """Tell whether a stored token is worth a call of the budget."""
        return self._is_last(token) or not self._app.is_over(token)

    def _is_last(self, token: Secret) -> bool:
        """Tell whether there is nothing to present after a stored token."""
        return _configured(self._app.vault) in (None, token)

    async def close(self) -> None:
        """Close the connections."""
        await self._app.endpoint.close()


def _configured(vault: Vault) -> Secret | None:
    """Return the configured token; one that cannot be read now is as good as none."""
    try:
        return vault.get("refresh_token")
    except TokenCallFailed:
        return None


def _seed_of(vault: Vault) -> str:
    return vault.fingerprint("client_id", "refresh_token")

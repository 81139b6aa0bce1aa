"""The grant `engage_legacy`: a login at a legacy portal, whose token lives while it is used.

The token lives an hour from its last use, or two weeks when the login asked to stay. So
it is not renewed ahead of time: use keeps it, and after a pause the next request logs in.

Rule: `POST /admin/token` is never called: every call of it leaves a permanent token behind.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.core.secret import Secret
from gateway.credentials.endpoint import TokenEndpoint
from gateway.credentials.failures import Outcome, TokenCallFailed
from gateway.credentials.grants.oauth import Vault
from gateway.credentials.holding import Holding, token_of

LOGIN_PATH = "/api/v1/auth/login"
LIFETIME_S = 3600.0
STAYING_LIFETIME_S = 14 * 86_400.0


class EngageLegacyGrant:
    """Obtains tokens for `X-Auth-Token` with a user name and a password."""

    slides = True
    begins_anew = True

    def __init__(
        self,
        endpoint: TokenEndpoint,
        vault: Vault,
        clock: Callable[[], float],
        *,
        stay_logged_in: bool,
        lifetime_s: float | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._vault = vault
        self._clock = clock
        self._stay = stay_logged_in
        self._lifetime_s = lifetime_s or (STAYING_LIFETIME_S if stay_logged_in else LIFETIME_S)

    def seed(self) -> str:
        """Return the fingerprints of the user and of the password.

        A record is named by the first: from the other one a password could be guessed.
        """
        return _seed_of(self._vault)

    def secrets(self) -> tuple[str, ...]:
        """Return the fingerprints of all that is presented."""
        return self._vault.fingerprints()

    async def obtain(self, held: Holding | None, *, alone: bool) -> Holding:
        """Log in."""
        vault = self._vault.once()
        form: dict[str, str | Secret] = {
            "username": vault.require("username"),
            "password": vault.require("password"),
        }
        if self._stay:
            form["stayLoggedIn"] = "true"
        now = self._clock()
        answer = await self._endpoint.post(LOGIN_PATH, form)
        try:
            access = token_of(answer.get("authToken"))
        except ValueError:
            raise TokenCallFailed(Outcome.ERROR, "the login answer is not usable") from None
        return Holding(access, now, now + self._lifetime_s, _seed_of(vault))

    async def close(self) -> None:
        """Close the connections."""
        await self._endpoint.close()


def _seed_of(vault: Vault) -> str:
    return " ".join(map(vault.fingerprint, ("username", "password")))

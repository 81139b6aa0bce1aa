"""The grant `ringcx`: a RingCentral token is exchanged for a RingCX one of five minutes.

Two hops. The exchange is limited like a login, so the RingCX refresh token is used as
long as it works; when it does not, another credential's RingCentral token is exchanged
again. The answer has no `expires_in`: the token is a JWT that says when it ends.

Rule 1: the signature of that JWT is the vendor's business; only its times are read.
Rule 2: a 401 of the exchange has the RingCentral token renewed once; one that was new and is
        refused, too, is good, and it is the user that the exchange does not want.
Rule 3: a token that was exchanged for another user's is not this one's: a chain is carried on
        only while the source's token descends from what it did when the chain began.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

from gateway.core.secret import Secret
from gateway.credentials.endpoint import Form, TokenEndpoint
from gateway.credentials.failures import Outcome, TokenCallFailed
from gateway.credentials.holding import Holding, time_of, token_of
from gateway.credentials.tokens import Credential, Token
from gateway.errors import CredentialUnavailable

EXCHANGE_PATH = "/api/auth/login/rc/accesstoken?includeRefresh=true"
PLACE = EXCHANGE_PATH.partition("?")[0].encode()
REFRESH_PATH = "/api/auth/token/refresh"
# What the vendor documents, for a token that does not say it.
DEFAULT_LIFETIME_S = 300.0
# A longer life than this is a clock that is wrong, theirs or ours.
_LONGEST_LIFE_S = 86_400.0
_SOURCE_WITHIN_S = 30.0


class RingcxGrant:
    """Obtains RingCX tokens with the token of `source`, another credential."""

    slides = False
    begins_anew = True

    def __init__(
        self,
        endpoint: TokenEndpoint,
        source: Credential,
        source_name: str,
        clock: Callable[[], float],
    ) -> None:
        self._endpoint = endpoint
        self._source = source
        self._source_name = source_name
        self._clock = clock
        # What is known to be of no use: a refresh token, and a source's token that was new.
        self._refused: Secret | None = None
        self._in_vain: Secret | None = None

    def seed(self) -> str:
        """Return what the token that is exchanged descends from, "" while nobody knows."""
        return self._seed_of(self._source.seed())

    def secrets(self) -> tuple[str, ...]:
        """Return what the token that is presented descends from; it changes by itself."""
        return (self._source.seed(),)

    async def obtain(self, held: Holding | None, *, alone: bool) -> Holding:
        """Refresh, or exchange."""
        if held is not None and (refresh := self._spendable(held)) is not None:
            form: Form = {"refresh_token": refresh, "rcTokenType": "Bearer"}
            try:
                return await self._ask(REFRESH_PATH, form, held.seed)
            except TokenCallFailed as failure:
                if not failure.is_refusal:
                    raise
            self._refused = refresh
        return await self._exchange()

    async def close(self) -> None:
        """Close the connections."""
        await self._endpoint.close()

    def _seed_of(self, seed: str) -> str:
        return seed and f"{self._source_name} {seed}"

    def _spendable(self, held: Holding) -> Secret | None:
        """Return the refresh token of a holding, if it is the same user's and may be good."""
        is_ours = self.seed() in ("", held.seed)
        # Presented again it would take the call of every window that the exchange needs.
        return held.refresh if is_ours and held.refresh != self._refused else None

    async def _exchange(self) -> Holding:
        deadline = asyncio.get_running_loop().time() + _SOURCE_WITHIN_S
        try:
            token = await self._source.current(deadline)
            try:
                return await self._present(token)
            except TokenCallFailed as failure:
                if not self._may_be_dead(token, failure) or not self._source.refuse(token, PLACE):
                    raise
                return await self._present_again(await self._source.current(deadline))
        except CredentialUnavailable as error:
            raise TokenCallFailed(
                Outcome.SOURCE,
                f"credential {self._source_name} has no token to exchange",
                retry_after_s=float(error.retry_after_s),
            ) from None

    def _may_be_dead(self, token: Token, failure: TokenCallFailed) -> bool:
        """Tell whether another token may help: a user who is not provisioned is a 401, too."""
        is_tried = token.value == self._in_vain
        return failure.speaks_of_token or (failure.status == 401 and not is_tried)

    async def _present_again(self, token: Token) -> Holding:
        try:
            return await self._present(token)
        except TokenCallFailed as failure:
            if failure.status == 401:
                self._in_vain = token.value
                self._source.acquit(PLACE)
            raise

    async def _present(self, token: Token) -> Holding:
        form: Form = {"rcAccessToken": token.value, "rcTokenType": "Bearer"}
        return await self._ask(EXCHANGE_PATH, form, self._seed_of(token.seed))

    async def _ask(self, path: str, form: Form, seed: str) -> Holding:
        now = self._clock()
        answer = await self._endpoint.post(path, form)
        try:
            access = token_of(answer.get("accessToken"))
            refresh = answer.get("refreshToken")
            return Holding(
                access=access,
                obtained_at=now,
                expires_at=now + life_of(access, now),
                seed=seed,
                refresh=token_of(refresh) if refresh else None,
            )
        except ValueError:
            raise TokenCallFailed(Outcome.ERROR, "the token answer is not usable") from None


def life_of(token: Secret, now: float) -> float:
    """Return how many seconds a JWT (RFC 7519) lives from `now` on, 300 when it does not say.

    With `iat` it is the difference of its own two times, so that a local clock which is wrong
    does no harm.
    """
    claims = read_claims(token)
    try:
        life_s = time_of(claims.get("exp")) - time_of(claims.get("iat", now))
    except ValueError:
        return DEFAULT_LIFETIME_S
    return life_s if 0 < life_s < _LONGEST_LIFE_S else DEFAULT_LIFETIME_S


def read_claims(token: Secret) -> dict[str, Any]:
    """Return the claims of a JWT without believing them, {} when it is none."""
    parts = token.reveal().split(b".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + b"=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}

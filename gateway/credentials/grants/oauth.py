"""What the RingCentral grants share: the token call, its answer, and the application's name.

RFC 6749 section 5.1 with the vendor's additions. Times come from `expires_in`, never from
what the documentation promises.

Rule 1: the life of a token counts from before the call left, so it is never believed to be
        longer than it is.
Rule 2: only the authorisation server rejects. A refusal without a code that is its own is a
        page of something on the way, which says nothing of what was presented.
Rule 3: tokens are not thrown away for an odd number beside them: they may be the only copy.
Rule 4: what is presented and the seed of what it brings come from one reading of each secret.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.config.secrets import TOKENS, Reference, Unresolved
from gateway.core.secret import Secret
from gateway.credentials.endpoint import Form, TokenEndpoint
from gateway.credentials.failures import Outcome, TokenCallFailed
from gateway.credentials.holding import Holding, token_of

TOKEN_PATH = "/restapi/oauth/token"  # noqa: S105 - a path, not a token
# RFC 6749 recommends `expires_in`; without one of use an hour is what the vendor documents.
_DEFAULT_LIFETIME_S = 3600.0
# RFC 6749 section 5.2, and the codes that the vendor puts beside or in place of them.
_OWN_CODE = re.compile(
    "invalid_(?:request|client|grant|scope)|unauthorized_client|unsupported_grant_type"
    "|[A-Z]{3}-[0-9]{1,4}|TokenInvalid"
)


class Vault:
    """The configured secrets of one credential, read anew each time they are asked for."""

    def __init__(self, references: Mapping[str, Reference], environ: Mapping[str, str]) -> None:
        self._references = references
        self._environ = environ

    def get(self, key: str) -> Secret | None:
        """Return a secret, None when none is configured; raises `TokenCallFailed`."""
        reference = self._references.get(key)
        if reference is None:
            return None
        try:
            return reference.resolve(self._environ, is_token=key in TOKENS)
        except Unresolved as trouble:
            raise TokenCallFailed(Outcome.UNREADABLE, f"{key}: {trouble}") from None

    def once(self) -> Vault:
        """Return the same secrets for one attempt, each of which is read only once."""
        return _ReadOnce(self._references, self._environ)

    def require(self, key: str) -> Secret:
        """Return a secret that the configuration was checked to have."""
        secret = self.get(key)
        if secret is None:
            raise TokenCallFailed(Outcome.REJECTED, f"{key} is not configured")
        return secret

    def fingerprint(self, *keys: str) -> str:
        """Return a text that changes when one of these secrets does, and tells none of them.

        It is empty while one of them cannot be read: then nothing can be said of a change.
        """
        digest = hashlib.sha256()
        for key in keys:
            try:
                secret = self.get(key)
            except TokenCallFailed:
                return ""
            digest.update(hashlib.sha256(secret.reveal() if secret is not None else b"").digest())
        return digest.hexdigest()[:32]

    def fingerprints(self) -> tuple[str, ...]:
        """Return the fingerprint of every configured secret by itself."""
        return tuple(self.fingerprint(key) for key in sorted(self._references))


class _ReadOnce(Vault):
    def __init__(self, references: Mapping[str, Reference], environ: Mapping[str, str]) -> None:
        super().__init__(references, environ)
        self._read: dict[str, Secret | TokenCallFailed | None] = {}

    def get(self, key: str) -> Secret | None:
        if key not in self._read:
            self._read[key] = self._get(key)
        if isinstance(read := self._read[key], TokenCallFailed):
            raise read
        return read

    def _get(self, key: str) -> Secret | TokenCallFailed | None:
        try:
            return super().get(key)
        except TokenCallFailed as failure:
            return failure


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a token request asks for; lifetimes in seconds, None for the vendor's default."""

    endpoint_id: str
    access_token_ttl: int | None = None
    refresh_token_ttl: int | None = None

    def form(self, suffix: str = "") -> dict[str, str]:
        """Return the parameters; `suffix` makes the endpoint another one."""
        ttl = {
            "access_token_ttl": self.access_token_ttl,
            "refresh_token_ttl": self.refresh_token_ttl,
        }
        numbers = {name: str(value) for name, value in ttl.items() if value is not None}
        return {"endpoint_id": self.endpoint_id + suffix, **numbers}


class OAuthApp:
    """One application at the RingCentral authorisation server."""

    def __init__(
        self, endpoint: TokenEndpoint, vault: Vault, wishes: Wishes, clock: Callable[[], float]
    ) -> None:
        self.endpoint = endpoint
        self.vault = vault
        self.wishes = wishes
        self._clock = clock
        self._over: Secret | None = None

    async def ask(self, vault: Vault, grant_type: str, form: Form, seed: str) -> Holding:
        """Make one token call with the application of `vault`; raises `TokenCallFailed`."""
        client_id, secret = vault.require("client_id"), vault.get("client_secret")
        full: dict[str, str | Secret] = {"grant_type": grant_type, **form}
        if secret is None:
            # RFC 6749 section 3.2.1: a public client names itself in the form.
            full["client_id"] = client_id
        now = self._clock()
        basic = None if secret is None else (client_id, secret)
        try:
            answer = await self.endpoint.post(TOKEN_PATH, full, basic=basic)
        except TokenCallFailed as failure:
            raise _as_told(failure) from None
        return read_answer(answer, now, seed)

    async def refresh(
        self, vault: Vault, token: Secret, seed: str, ends_at: float | None = None
    ) -> Holding:
        """Spend a refresh token, which ends at `ends_at`; what descends from it has its seed."""
        form: Form = {"refresh_token": token, **self.wishes.form()}
        try:
            holding = await self.ask(vault, "refresh_token", form, seed)
        except TokenCallFailed as failure:
            if failure.is_over:
                self._over = token
            raise
        if holding.refresh is not None:
            return holding
        # RFC 6749 section 6: "The authorization server MAY issue a new refresh token, in which
        # case the client MUST discard the old refresh token".
        return replace(holding, refresh=token, refresh_expires_at=ends_at)

    def is_over(self, token: Secret) -> bool:
        """Tell whether the vendor has said of a refresh token that it is over."""
        return token == self._over

    def spendable(self, held: Holding) -> Secret | None:
        """Return the refresh token of a holding, if there is one that should still be good."""
        token = held.spendable(self._clock())
        return None if token is None or self.is_over(token) else token


def _as_told(failure: TokenCallFailed) -> TokenCallFailed:
    """Return a failure, a rejection by nobody in particular as an error."""
    if failure.outcome is not Outcome.REJECTED or any(map(_OWN_CODE.fullmatch, failure.codes)):
        return failure
    return TokenCallFailed(Outcome.ERROR, failure.reason, status=failure.status)


def read_answer(answer: Mapping[str, Any], now: float, seed: str) -> Holding:
    """Return the holding of a token answer, or raise `TokenCallFailed` without showing it."""
    try:
        access = token_of(answer.get("access_token"))
        refresh = answer.get("refresh_token")
        lives_s = lifetime_of(answer.get("expires_in"))
        ends_s = lifetime_of(answer.get("refresh_token_expires_in"))
        return Holding(
            access=access,
            obtained_at=now,
            expires_at=now + (lives_s or _DEFAULT_LIFETIME_S),
            seed=seed,
            refresh=token_of(refresh) if refresh else None,
            refresh_expires_at=now + ends_s if refresh and ends_s is not None else None,
        )
    except ValueError:
        raise TokenCallFailed(Outcome.ERROR, "the token answer is not usable") from None


def lifetime_of(value: object) -> float | None:
    """Return a lifetime in seconds, also from the text that some servers send; None for none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value) if isinstance(value, str) else value
    except ValueError:
        return None
    # Compared before it is converted: an integer may be too large for a float.
    return float(seconds) if 0 < seconds < 1e9 else None

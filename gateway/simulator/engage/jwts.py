"""RingCX's access tokens: JWTs of five minutes, and the chains that renew them.

A token has the three parts of RFC 7519, so a client can read its `exp`; at a time scale
other than 1 that is a number with decimals, which section 2 of the RFC allows. Whether a
token is good is looked up and not computed. One of ours that is no longer good has expired.

Documented by the vendor: a refresh token is replaced by each refresh. Inferred: it works
once, without a window for lost answers, and the access token before it lives on to its end.
"""

import base64
import hashlib
import hmac
import json
import math
import secrets
from collections.abc import Mapping

from gateway.simulator.pace import Pace

LIFETIME_S = 300
# A chain nobody renews is forgotten at the latest when so many younger ones exist.
_MAX_CHAINS = 100


class Jwts:
    """The tokens of one simulator."""

    def __init__(self, pace: Pace) -> None:
        """Start with none."""
        self._pace = pace
        self._key = secrets.token_bytes(32)
        self._good_until: dict[str, float] = {}
        self._chains: dict[str, None] = {}

    def make(self, now: float, wall_s: float) -> str:
        """Make an access token; `now` is monotonic, `wall_s` is seconds since 1970."""
        self._good_until = {token: end for token, end in self._good_until.items() if now < end}
        life_s = self._pace.shorten(LIFETIME_S)
        expiry = self._pace.write_life(wall_s + life_s)
        issued = self._pace.write_life(wall_s)
        claims = {"sub": "1790", "iat": issued, "exp": expiry, "jti": secrets.token_hex(8)}
        token = self._sign(f"{_encode({'alg': 'HS256', 'typ': 'JWT'})}.{_encode(claims)}")
        self._good_until[token] = now + life_s
        return token

    def make_refresh(self) -> str:
        """Begin a chain, or go on with one, by a refresh token."""
        token = secrets.token_urlsafe(32)
        self._chains[token] = None
        while len(self._chains) > _MAX_CHAINS:
            del self._chains[next(iter(self._chains))]
        return token

    def use_refresh(self, token: str) -> bool:
        """Use a refresh token up; False when it is none or was used."""
        return self._chains.pop(token, self) is None

    def is_good(self, token: str, now: float) -> bool:
        """Tell whether an access token opens something."""
        return now < self._good_until.get(token, -math.inf)

    def is_ours(self, token: str) -> bool:
        """Tell whether an access token was ever made here."""
        unsigned = token.rpartition(".")[0]
        return hmac.compare_digest(self._sign(unsigned).encode(), token.encode("utf-8", "replace"))

    def expire(self) -> None:
        """Let every access token be over; the refresh tokens live on."""
        self._good_until.clear()

    def _sign(self, unsigned: str) -> str:
        digest = hmac.digest(self._key, unsigned.encode("utf-8", "replace"), hashlib.sha256)
        return f"{unsigned}.{_text(digest)}"


def _encode(document: Mapping[str, object]) -> str:
    return _text(json.dumps(document, separators=(",", ":")).encode())


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")

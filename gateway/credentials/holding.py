"""What a grant has obtained: the pair of tokens, their times, and what they descend from.

This is the one form in which tokens are kept in a store, so it is read with suspicion: a
record of another shape is as good as none.

Rule 1: times are seconds since the epoch, because other processes and later ones read them.
Rule 2: `render` is the only place where tokens leave as text; a store seals it or guards it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from gateway.core.grammar import FIELD_VALUE
from gateway.core.secret import Secret

_FORMAT = 1
# Some three thousand years: whatever a clock says, it is no later.
_FURTHEST_S = 1e11


@dataclass(frozen=True, slots=True)
class Holding:
    """An access token with its life; `seed` is the fingerprint of what the chain began with."""

    access: Secret
    obtained_at: float
    expires_at: float
    seed: str
    refresh: Secret | None = None
    refresh_expires_at: float | None = None

    @property
    def lifetime_s(self) -> float:
        """Return how long the access token lives in all."""
        return max(self.expires_at - self.obtained_at, 0.0)

    def spendable(self, now: float) -> Secret | None:
        """Return the refresh token, if there is one that should still be good."""
        ends = self.refresh_expires_at
        return self.refresh if ends is None or now < ends else None


def render(holding: Holding) -> bytes:
    """Return the record of a holding, tokens in clear."""
    refresh = holding.refresh
    return json.dumps(
        {
            "format": _FORMAT,
            "access": holding.access.reveal().decode("ascii"),
            "refresh": refresh.reveal().decode("ascii") if refresh is not None else None,
            "obtained_at": holding.obtained_at,
            "expires_at": holding.expires_at,
            "refresh_expires_at": holding.refresh_expires_at,
            "seed": holding.seed,
        }
    ).encode()


def parse(record: bytes) -> Holding | None:
    """Return the holding of a record, or None when it is not one that this version wrote."""
    try:
        read: dict[str, Any] = json.loads(record)
        if read["format"] != _FORMAT:
            return None
        access, refresh = token_of(read["access"]), read["refresh"]
        return Holding(
            access=access,
            obtained_at=time_of(read["obtained_at"]),
            expires_at=time_of(read["expires_at"]),
            seed=str(read["seed"]),
            refresh=None if refresh is None else token_of(refresh),
            refresh_expires_at=_optional_time(read["refresh_expires_at"]),
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        # Without its cause, whose text may show the record.
        return None


def token_of(value: object) -> Secret:
    """Return a token that can be a field value, or raise `ValueError` without showing it."""
    if isinstance(value, str) and value.isascii() and value:
        clear = value.encode()
        if FIELD_VALUE.fullmatch(clear) is not None:
            return Secret(clear)
    raise ValueError("not a token")


def time_of(value: object) -> float:
    """Return seconds since the epoch, or raise `ValueError`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not a number")
    # Compared before it is converted: an integer may be too large for a float.
    if not -_FURTHEST_S <= value <= _FURTHEST_S:
        raise ValueError("not a time")
    return float(value)


def _optional_time(value: object) -> float | None:
    return None if value is None else time_of(value)

"""How long the current token may be sent, and when the next one should be had.

Holdings say it in seconds since the epoch, the same for every process; here it becomes
event-loop seconds, once, when a holding is adopted.

Rule 1: clock-free: both times of now are handed in.
Rule 2: a token that slides lives anew from each use that upstream did not refuse; nothing
        renews it ahead of time.
"""

from __future__ import annotations

import math
import random
from dataclasses import replace

from gateway.credentials.holding import Holding

# Shares of a token's life after which it is renewed: a fleet does not ask all at once.
RENEW_AFTER = (0.70, 0.85)
# After this share of its life the store is told how long a token that slides has come to live.
EXTEND_SHARE = 0.1
# A store that came back empty lacks the token for so long at most; it costs one read.
_SHARE_EVERY_S = 10.0
# What the store lacks is written as soon as it is back, and before a short life is over.
_SAVE_EVERY_S = 1.0
_SAVE_SHARE = 0.05
# A request that leaves now arrives a moment later.
_MARGIN_S = 2.0
_MARGIN_SHARE = 0.01


class Life:
    """The life of one token; `dies_at` and `renew_at` are event-loop seconds.

    `lifetime_s` is its whole life; `slides_s` is what each use gives it, 0.0 for nothing.
    """

    __slots__ = ("dies_at", "lifetime_s", "renew_at", "slides_s")

    def __init__(self) -> None:
        self.dies_at = 0.0
        self.renew_at = math.inf
        self.lifetime_s = 0.0
        self.slides_s = 0.0

    def begin(self, holding: Holding, wall: float, now: float, *, slides: bool) -> None:
        """Take over the times of a holding; `wall` is seconds since the epoch."""
        self.lifetime_s = holding.lifetime_s
        # A clock that is behind would have it live longer than anything does.
        left_s = min(holding.expires_at - wall, self.lifetime_s)
        self.dies_at = now + left_s - min(_MARGIN_S, _MARGIN_SHARE * self.lifetime_s)
        self.slides_s = self.lifetime_s if slides else 0.0
        share = random.uniform(*RENEW_AFTER)  # noqa: S311 - spreads load, guards nothing
        self.renew_at = math.inf if slides else now + left_s - (1 - share) * self.lifetime_s

    def end(self) -> None:
        """Take note that the token is dead, whatever was promised."""
        self.dies_at = 0.0

    @property
    def was_ended(self) -> bool:
        """Tell whether there is no token, or it was found dead before its time."""
        return self.dies_at == 0.0

    def lives(self, now: float) -> bool:
        """Tell whether the token may be sent."""
        return now < self.dies_at

    def prolong(self, now: float) -> None:
        """Take note that upstream has taken a token that slides."""
        if self.slides_s and not self.was_ended:
            self.dies_at = now + self.slides_s

    def is_due(self, now: float) -> bool:
        """Tell whether the token is dead, or old enough to be renewed."""
        return now >= min(self.dies_at, self.renew_at)

    def next_at(self, now: float, *, is_saved: bool) -> float:
        """Return when to renew the token, or to tell the store of it before that."""
        wait_s = _SHARE_EVERY_S
        if self.slides_s:
            wait_s = min(wait_s, EXTEND_SHARE * self.slides_s)
        if not is_saved:
            wait_s = min(_SAVE_EVERY_S, _SAVE_SHARE * self.lifetime_s)
        return min(self.renew_at, now + wait_s)

    def longer(
        self, holding: Holding, wall: float, now: float, *, least: float = 0.0
    ) -> Holding | None:
        """Return the holding with the life that use has given to a sliding token.

        None unless it gained more than the share `least` of its life.
        """
        ends_at = self.ends_at(holding, wall, now)
        if ends_at - holding.expires_at <= least * self.slides_s:
            return None
        # As if it were obtained by its last use: who adopts it must not believe in a longer life.
        return replace(holding, obtained_at=ends_at - self.slides_s, expires_at=ends_at)

    def ends_at(self, holding: Holding, wall: float, now: float) -> float:
        """Return when the token ends, in seconds since the epoch."""
        if not self.slides_s or self.was_ended:
            return holding.expires_at
        return wall + self.dies_at - now

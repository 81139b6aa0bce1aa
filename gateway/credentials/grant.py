"""How tokens of one kind are obtained: what a renewal asks of a grant.

A chain of tokens begins with configured secrets, and is carried on with what it brought. The
grant knows which of the two is worth a token call; whether somebody else has carried the
chain on meanwhile, it cannot know.

Rule 1: a grant knows nothing of stores, of other processes and of failures that were before.
Rule 2: when what is held was refused, the one who asks decides whether to begin anew.
"""

from __future__ import annotations

from typing import Protocol

from gateway.credentials.holding import Holding


class Grant(Protocol):
    """How tokens of one kind are obtained."""

    @property
    def slides(self) -> bool:
        """Tell whether every use of a token begins its life anew."""
        ...

    @property
    def begins_anew(self) -> bool:
        """Tell whether the configured secrets are good however often a chain began with them."""
        ...

    def seed(self) -> str:
        """Return a fingerprint of the configured secrets that a chain of tokens begins with.

        It names the chain. While it cannot be told it is "", and what is held is carried on.
        """
        ...

    def secrets(self) -> tuple[str, ...]:
        """Return a fingerprint of each secret that is presented, "" for one that is unreadable.

        Always as many, in the same order.
        """
        ...

    async def obtain(self, held: Holding | None, *, alone: bool) -> Holding:
        """Return a new holding, by as few token calls as it takes; `held` is the latest one.

        `alone` tells that others may do the same at this moment, unseen. Raises `TokenCallFailed`;
        when that `may_begin`, what is configured is presented to who asks with None.
        """
        ...

    async def close(self) -> None:
        """Close what it holds open."""
        ...

"""A token, who has one, and what may be told of it.

A token carries its generation, so that an answer to a request can be told to speak of the
token that is current or of one that was already replaced.

Rule: the value is a `Secret`; nothing here prints, stores or sends it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from gateway.core.secret import Secret


@dataclass(frozen=True, slots=True)
class Token:
    """A token's value; `generation` counts up each time the credential changes.

    `seed` is the fingerprint of what it descends from: with another one it may be another user's.
    """

    value: Secret
    generation: int
    seed: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Status:
    """What operators may know of a credential; times are seconds since the epoch.

    `generation` is 0 while there is no token, `expires_at` None when nobody knows,
    `retry_at` None unless a failure holds the next token call off, `reason` says why.
    """

    grant: str
    generation: int = 0
    expires_at: float | None = None
    outcome: str = "none"
    outcome_at: float | None = None
    retry_at: float | None = None
    reason: str = ""


class Credential(Protocol):
    """Gives the current token of one `[credentials]` table."""

    @property
    def on_use(self) -> Callable[[], None] | None:
        """Return what is to hear that upstream has taken the token; None when nothing is."""
        ...

    def ready(self) -> Token | None:
        """Return the current token if one is at hand, without waiting."""
        ...

    async def current(self, deadline: float) -> Token:
        """Return a token by `deadline` (event-loop seconds), or raise `CredentialUnavailable`."""
        ...

    def refuse(self, token: Token, place: bytes = b"") -> bool:
        """Take note that upstream refused `token`; tell whether `current` may have another one.

        `place` is what was asked: the path of a request, without its query.
        """
        ...

    def acquit(self, place: bytes) -> None:
        """Take note that the place refused the other one too: it was not the token's fault."""
        ...

    def seed(self) -> str:
        """Return the seed of the current token, or of the next one; "" while nobody knows."""
        ...

    def status(self) -> Status:
        """Return what may be told of it."""
        ...

"""A token, and who has one.

A token carries its generation, so that an answer to a request can be told to speak of the
token that is current or of one that was already replaced.

Rule: the value is a `Secret`; nothing here prints, stores or sends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.core.secret import Secret


@dataclass(frozen=True, slots=True)
class Token:
    """A token's value; `generation` counts up each time the credential changes."""

    value: Secret
    generation: int


class Credential(Protocol):
    """Gives the current token of one `[credentials]` table."""

    async def current(self, deadline: float) -> Token:
        """Return a token by `deadline` (monotonic seconds), or raise `CredentialUnavailable`."""
        ...

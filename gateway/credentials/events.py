"""What a credential tells of itself: its tokens change, or cannot be had.

A credential never logs or counts. `ops` implements this, and `app` passes it in.

Rule: nothing told here holds a token or a part of one.
"""

from __future__ import annotations

from typing import Protocol


class Events(Protocol):
    """Hears of each change once."""

    def token_changed(self, credential: str, generation: int) -> None:
        """Take note that requests are sent with another token from now on."""
        ...

    def token_unreadable(self, credential: str, reason: str) -> None:
        """Take note that the token cannot be read, and that the last one is still sent."""
        ...

    def refresh_finished(self, credential: str, outcome: str, reason: str) -> None:
        """Take note of how an attempt to have a newer token ended.

        `outcome` is "obtained" (by a token call), "adopted" (what another process obtained),
        "refused" (by upstream, and there is no newer one to read), or a `failures.Outcome`;
        `reason` is empty unless it failed.
        """
        ...

    def store_failed(self, credential: str, reason: str) -> None:
        """Take note that a token could not be shared or kept; it is used all the same."""
        ...

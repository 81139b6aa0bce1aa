"""Out of file descriptors: said while it lasts, once in a second.

The event loop closes what it cannot accept without a word, so somebody has to look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.engine.descriptors import are_used_up

EVERY_S = 1.0


class Shortage:
    """Looks once in a second, from `watch` on for as long as the event loop runs."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say

    def watch(self) -> None:
        """Look now, and again later."""
        if are_used_up():
            self._say(
                "no file descriptor is left, so connections are lost: raise the hard limit "
                "(ulimit -Hn, LimitNOFILE= of systemd) or lower limits.max_connections"
            )
        asyncio.get_running_loop().call_later(EVERY_S, self.watch)

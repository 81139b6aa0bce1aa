"""The first request of a bucket goes alone: its answer tells the limit for all the others.

No limit is known beforehand, so a burst at the start would run into one that a single
answer would have told. Whoever comes meanwhile waits for that answer, but not for long:
an answer can be slow for reasons of its own.

Rule: what has been answered once is never waited for again.
"""

from __future__ import annotations

import asyncio

from gateway.policy.rate_groups import RateKey
from gateway.policy.recent import Recent

# An ordinary answer takes a fraction of it.
WITHIN_S = 1.0
_MOST_KNOWN = 4096


class FirstAnswers:
    """Lets one request of each bucket go first."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._known: Recent[tuple[str, str], bool] = Recent(_MOST_KNOWN)
        self._awaited: dict[tuple[str, str], asyncio.Future[None]] = {}

    def is_awaited(self, key: RateKey) -> bool:
        """Tell whether no request of the bucket has been answered yet."""
        return not self._known.get(key.bucket) and bool(key.group) and not key.windows

    async def turn(self, key: RateKey) -> None:
        """Return when the request may go: as the first one, or after its answer."""
        line = key.bucket
        if not self.is_awaited(key):
            return
        give_up = self._loop.time() + WITHIN_S
        while (awaited := self._awaited.get(line)) is not None:
            left_s = give_up - self._loop.time()
            if left_s <= 0:
                return
            await asyncio.wait((awaited,), timeout=left_s)
            if self._known.get(line):
                return
        self._awaited[line] = self._loop.create_future()

    def end(self, key: RateKey, *, answered: bool = False) -> None:
        """Take note that a request was answered, or that it will not be."""
        line = key.bucket
        if answered and not self._known.get(line) and key.group:
            self._known.put(line, True)
        if line in self._awaited:
            self._awaited.pop(line).set_result(None)

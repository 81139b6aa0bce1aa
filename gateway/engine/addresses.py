"""The addresses of one upstream's name: looked up once for all who wait, and remembered.

A look-up takes a thread, and may take many seconds when a resolver is down. So there is
one at a time, however many requests want it; and what was known yesterday is better than
no answer, when a new one fails or is long in coming.

Rule: whoever stops waiting stops nobody else, nor the look-up.
"""

from __future__ import annotations

import asyncio
import socket

from aiohappyeyeballs.types import AddrInfoType

# Long enough to spare a look-up per connection, short enough to follow a failover.
FRESH_S = 30.0
# How long addresses are used on after a look-up that brought none.
RETRY_S = 3.0
# A resolver that is well answers sooner; with addresses at hand there is no use in waiting.
PATIENCE_S = 1.0


class Addresses:
    """What a host and port resolve to."""

    def __init__(self, loop: asyncio.AbstractEventLoop, host: str, port: int) -> None:
        self._loop = loop
        self._host = host
        self._port = port
        self._known: list[AddrInfoType] = []
        self._fresh_until = 0.0
        self._looking: asyncio.Task[OSError | UnicodeError | None] | None = None

    async def get(self) -> list[AddrInfoType]:
        """Return the addresses, or raise OSError or UnicodeError when none were ever found."""
        if self._loop.time() >= self._fresh_until:
            await self._refresh()
        return self._known

    async def _refresh(self) -> None:
        if self._looking is None:
            self._looking = self._loop.create_task(self._look_up())
        looking = self._looking
        # Unlike awaiting the task, this passes no cancellation on to it.
        done, _ = await asyncio.wait((looking,), timeout=PATIENCE_S if self._known else None)
        failure = looking.result() if done else None
        if failure is not None and not self._known:
            raise failure
        if failure is not None or not done:
            self._fresh_until = self._loop.time() + RETRY_S

    async def _look_up(self) -> OSError | UnicodeError | None:
        """Return why there is no answer, instead of raising what maybe nobody waits for."""
        try:
            found = await self._loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            return error
        else:
            self._known = list(found)
            self._fresh_until = self._loop.time() + FRESH_S
            return None
        finally:
            self._looking = None

"""Stopping without losing a request.

First the gate says `Connection: close` on every answer and nothing new is accepted; then
idle connections get a moment, because a request may be on its way on one of them; then
they are closed, and what is under way may finish until the time is up.

Rule: after the time is up, what is left is cut, never ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from gateway.engine.gate import Gate
from gateway.engine.server import Server

# A request that left before our answer's `Connection: close` came arrives within this.
GRACE_S = 0.5


async def drain(
    gate: Gate, sockets: Sequence[asyncio.Server], servers: Sequence[Server], drain_s: float
) -> None:
    """Stop accepting, let requests finish for `drain_s` seconds, cut the rest."""
    loop = asyncio.get_running_loop()
    end = loop.time() + drain_s
    gate.is_draining = True
    # One turn of the loop takes in what the kernel has already accepted for us.
    await asyncio.sleep(0)
    for sock in sockets:
        sock.close()
    await asyncio.sleep(min(GRACE_S, drain_s))
    gate.is_refusing = True
    for server in servers:
        server.close_idle()
    with suppress(TimeoutError):
        async with asyncio.timeout_at(end):
            await gate.emptied()
    for server in servers:
        server.abort()

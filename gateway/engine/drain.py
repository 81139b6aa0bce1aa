"""Stopping without losing a request.

First the gate says `Connection: close` on every answer and nothing new is accepted; then
idle connections get a moment, because a request may be on its way on one of them; then
they are closed, and what is under way may finish until the time is up.

Rule 1: a request that comes while there is time is served; one that comes so late that it
        would hardly finish is refused.
Rule 2: just before the time is up, who has no answer yet is told so (`dismissal.py`), and an
        answer that has begun is cut, never ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gateway.engine.gate import GRACE_S, Gate
from gateway.engine.listen import hold_off
from gateway.engine.server import Server
from gateway.errors import Draining

# What begins in the second half of the time has less than half of it.
_SERVING_SHARE = 0.5
# Until connections that were being made are made, and the event loop has taken them in.
ACCEPT_S = 0.02
_CUT_AGAIN_S = 0.1
# For the last answers to leave, and for their callers to close; of longer times, their end.
FAREWELL_S = 0.5


async def drain(
    gate: Gate,
    listening: Sequence[asyncio.Server],
    servers: Sequence[Server],
    drain_s: float,
    *,
    shared: bool = False,
) -> int:
    """Stop accepting, let requests finish for `drain_s` seconds, cut the rest; return how many.

    `shared` sockets are served by other processes, too, and are only let go of.
    """
    start = asyncio.get_running_loop().time()
    gate.is_draining = True
    await stop_accepting(listening, shared=shared)
    await _emptied(gate, start + min(GRACE_S, drain_s))
    for server in servers:
        server.close_idle()
    await _emptied(gate, start + drain_s * _SERVING_SHARE)
    gate.is_refusing = True
    await _emptied(gate, start + max(drain_s - FAREWELL_S, drain_s * _SERVING_SHARE))
    dismissed = gate.dismiss()
    for server in servers:
        server.refuse_heads(Draining("the gateway is shutting down"))
    await _emptied(gate, start + drain_s)
    return dismissed + await cut(gate, servers)


async def retire(gate: Gate, listening: Sequence[asyncio.Server]) -> None:
    """Leave new connections to other processes.

    Nothing is cut, and no connection closed that its caller may be about to use: each ends with
    its next answer, or when it has idled for too long. `gate.emptied` tells when.
    """
    gate.is_draining = True
    await stop_accepting(listening, shared=True)


async def stop_accepting(listening: Sequence[asyncio.Server], *, shared: bool = False) -> None:
    """Close listening sockets, and take in first what has reached them."""
    for opened in listening:
        for sock in () if shared else opened.sockets:
            hold_off(sock)
    await asyncio.sleep(ACCEPT_S)
    for opened in listening:
        opened.close()


async def cut(gate: Gate, servers: Sequence[Server]) -> int:
    """Cut what is left, and wait until every request has been told of; return how many."""
    gate.is_stopping = True
    requests = gate.in_flight
    while gate.connections or gate.in_flight:
        for server in servers:
            server.abort()
        # A connection that was being accepted just now shows up a moment later.
        await _emptied(gate, asyncio.get_running_loop().time() + _CUT_AGAIN_S)
    return requests


async def _emptied(gate: Gate, deadline: float) -> None:
    try:
        async with asyncio.timeout_at(deadline):
            await gate.emptied()
    except TimeoutError:
        return

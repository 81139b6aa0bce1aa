"""The simulator as the vendor, and a gateway that owns its tokens there.

Rule: nothing here sleeps; whoever waits, waits for an answer.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from gateway import simulator
from gateway.simulator import CLIENT_ID, CLIENT_SECRET, JWT
from tests.wire import PATH, Peer, Running, request, running

OWNED = (
    f"credentials.ringcentral.client_id=literal:{CLIENT_ID}",
    f"credentials.ringcentral.client_secret=literal:{CLIENT_SECRET}",
    f"credentials.ringcentral.jwt=literal:{JWT}",
)
# What is tested with these is not the vendor's rate groups, which are soon spent.
JWT_SETS = (*OWNED, "rates.mode=off")
# The calls of the account's own documents are the cheapest, and every one needs a token.
GET = request(f"GET {PATH} HTTP/1.1")


@asynccontextmanager
async def vendor(
    time_scale: float = 1.0,
    *,
    enforce_rates: bool = False,
    limits: Mapping[str, int] | None = None,
) -> AsyncIterator[simulator.Running]:
    """Run a simulator; `limits` are as `simulator.start` takes them."""
    started = await simulator.start(
        time_scale=time_scale, enforce_rates=enforce_rates, limits=limits
    )
    try:
        yield started
    finally:
        await started.close()


@asynccontextmanager
async def owning(*sets: str) -> AsyncIterator[tuple[simulator.Running, Running]]:
    """Run a simulator and a gateway that has its tokens from there by JWT."""
    async with (
        vendor() as upstream,
        running(upstream.origin, *JWT_SETS, *sets, grant="jwt") as gateway,
    ):
        yield upstream, gateway


async def ask_again_and_again(peer: Peer, times: int) -> list[int]:
    """Ask on one connection; return the statuses."""
    statuses = []
    for _ in range(times):
        await peer.send(GET)
        statuses.append((await peer.read_answer())[0])
    return statuses


async def ask_at_once(gateway: Running, times: int) -> list[int]:
    """Ask on as many connections at the same time; return the statuses."""
    peers = await asyncio.gather(*(gateway.dial() for _ in range(times)))
    answers = await asyncio.gather(*(ask_again_and_again(peer, 1) for peer in peers))
    for peer in peers:
        peer.close()
    return [status for (status,) in answers]


def token_calls(upstream: simulator.Running) -> Any:
    """Return what the simulator counted of token calls."""
    return upstream.control.report()["token_calls"]

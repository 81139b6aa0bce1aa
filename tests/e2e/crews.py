"""A gateway with two workers, and what is asked of it.

Rule: nothing here sleeps; whoever waits, waits for an answer or a log event.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.e2e.reloadable import Reloadable, reloadable, text_of
from tests.started import Started
from tests.wire import (
    Peer,
    Script,
    Upstream,
    request,
    scripted,
    values,
)

OTHER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother"
TWO = "engine.workers = 2"


@asynccontextmanager
async def two_workers(
    file: Path, script: Script, *more: str
) -> AsyncIterator[tuple[Reloadable, Upstream]]:
    async with (
        scripted(script) as upstream,
        reloadable(file, text_of(upstream.origin, TWO, *more)) as gateway,
    ):
        yield gateway, upstream


async def ask(peer: Peer) -> tuple[bytes, bool]:
    """Return the body of an answer, and whether the connection stays."""
    await peer.send(request())
    status, head, body = await peer.read_answer()
    assert status == 200
    return body, values(head, b"connection") != [b"close"]


async def keep_asking(gateway: Started, stop: asyncio.Event, done: asyncio.Semaphore) -> None:
    """Ask again and again, on a new connection whenever the last one was ended in order."""
    while not stop.is_set():
        peer = await gateway.dial()
        stays = True
        while stays and not stop.is_set():
            _, stays = await ask(peer)
            done.release()
        peer.close()


async def show(gateway: Reloadable, path: str, name: str = "localhost") -> str:
    """Return the answer of the operators' listener, asked by a name."""
    host, _, port = gateway.ops.rpartition(":")
    peer = Peer(*await asyncio.open_connection(host, int(port)))
    await peer.send(request(f"GET {path} HTTP/1.1", "Connection: close", host=name))
    text = (await peer.read_to_end()).decode()
    peer.close()
    return text


def workers_of(parent: int) -> set[int]:
    """Return the children of a process."""
    text = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
    return {int(word) for word in text.split()}


async def until_left(gateway: Started, count: int) -> None:
    """Wait until as many workers have left in all, and in order."""
    while True:
        left = [event for event in gateway.events if event["event"] == "worker left"]
        if len(left) == count:
            break
        await gateway.event("worker left")
    assert {event["exit_code"] for event in left} == {0}


def count_of(metrics: str, name: str) -> float:
    """Return the sum of a metric over its labels."""
    found = re.findall(rf"^{name}(?:\{{[^}}]*\}})? ([0-9.e+]+)$", metrics, re.MULTILINE)
    return sum(map(float, found))

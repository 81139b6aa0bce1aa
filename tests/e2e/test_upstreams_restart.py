"""An upstream that goes down and comes back on the same port, idle and under load."""

import asyncio
from collections import Counter

import pytest

from tests.free_port import free_port
from tests.wire import PATH, Peer, Running, request, running, scripted

CALLERS = 8
ROUNDS = 3


async def echo(peer: Peer) -> None:
    """Answer each request with its target."""
    while True:
        target = (await peer.read_request())[0].split(b" ")[1]
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(target) + target)


async def ask(peer: Peer, target: str, verb: str = "GET") -> int:
    """Return the status; an answer of upstream's must be that for the target."""
    await peer.send(request(f"{verb} {target} HTTP/1.1", body=b"" if verb == "GET" else b"x"))
    status, head, body = await peer.read_answer()
    if status == 200:
        assert body == target.encode()
    else:
        assert b"X-Gateway-Error: upstream-" in head
    return status


@pytest.mark.parametrize("verb", ["GET", "PUT", "POST"])
async def test_connections_of_before_a_restart_are_not_used_after_it(verb: str) -> None:
    port = free_port()
    async with running(f"http://127.0.0.1:{port}") as gateway:
        peers = [await gateway.dial() for _ in range(CALLERS)]
        for _ in range(ROUNDS):
            async with scripted(echo, port=port):
                asked = (ask(peer, f"{PATH}/{at}", verb) for at, peer in enumerate(peers))
                assert await asyncio.gather(*asked) == [200] * CALLERS
        for peer in peers:
            peer.close()
        records = gateway.records
        assert {record.attempts for record in records} == {1}


async def ask_on(
    gateway: Running, number: int, statuses: Counter[int], over: asyncio.Event
) -> None:
    """Ask again and again on one connection, until `over`."""
    peer, turn = await gateway.dial(), 0
    while not over.is_set():
        turn += 1
        status = await ask(peer, f"{PATH}/{number}/{turn}", ("GET", "PUT", "POST")[turn % 3])
        statuses[status] += 1
        if status != 200:
            # Not all of the machine is for asking who is not there.
            await asyncio.wait((asyncio.create_task(asyncio.sleep(0.01)),))
    peer.close()


async def test_a_restart_under_load_hangs_nobody_and_mixes_nothing_up() -> None:
    port, over = free_port(), asyncio.Event()
    statuses: Counter[int] = Counter()
    async with running(f"http://127.0.0.1:{port}") as gateway, asyncio.TaskGroup() as callers:
        async with scripted(echo, port=port):
            for number in range(CALLERS):
                callers.create_task(ask_on(gateway, number, statuses, over))
            await gateway.recorder.wait_for(300)
        async with scripted(echo, port=port):
            # What failed meanwhile may have opened the circuit, for a second at first.
            await until_served(gateway)
            await gateway.recorder.wait_for(len(gateway.records) + 300)
            over.set()
            await gateway.gateway.gate.emptied()
    assert set(statuses) <= {200, 502}
    assert statuses[200] > 500
    assert not [record.bug for record in gateway.records if record.bug is not None]


async def until_served(gateway: Running) -> None:
    """Ask until upstream answers."""
    peer = await gateway.dial()
    while await ask(peer, f"{PATH}/again") != 200:
        await asyncio.wait((asyncio.create_task(asyncio.sleep(0.01)),))
    peer.close()

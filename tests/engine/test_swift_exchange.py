"""gateway/engine/swift_exchange.py: which requests of the main lane go the short way."""

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from gateway.engine import gate
from gateway.engine.incoming import Incoming
from gateway.engine.server import Server
from gateway.engine.swift_exchange import SwiftExchange
from tests.policy.world import policy_of
from tests.wire import OK, PATH, Peer, answering, request, running, scripted, values

MAIN = "engine.fast_lane=false"
PUT = f"PUT {PATH} HTTP/1.1"
CHUNKS = b"2\r\nab\r\n0\r\n\r\n"


@pytest.fixture
def swift(monkeypatch: pytest.MonkeyPatch) -> list[SwiftExchange]:
    """Return the exchanges that go the short way."""
    made: list[SwiftExchange] = []

    class Noted(SwiftExchange):
        def __init__(self, *args: object) -> None:
            super().__init__(*args)  # type: ignore[arg-type]  # passed on as they are
            made.append(self)

    monkeypatch.setattr(gate, "SwiftExchange", Noted)
    return made


@pytest.mark.parametrize(
    ("sent", "times"),
    [
        (request(PUT, body=b"abc"), 2),
        (request(), 2),
        (request(PUT, "Connection: close", body=b"abc"), 2),
        (request(f"HEAD {PATH} HTTP/1.1"), 0),
        (request(f"GET {PATH} HTTP/1.0"), 0),
        (request(PUT, "Transfer-Encoding: chunked", body=CHUNKS), 0),
        (request(f"GET {PATH}?access_token=secret HTTP/1.1"), 0),
    ],
)
async def test_known_heads_whose_requests_are_whole_go_the_short_way(
    sent: bytes, times: int, swift: list[SwiftExchange]
) -> None:
    seen: list[tuple[bytes, bytes]] = []
    method = sent.partition(b" ")[0].decode()
    async with scripted(answering(OK, seen=seen)) as upstream, running(upstream.origin, MAIN) as g:
        answers = [await g.ask(sent, method) for _ in range(4)]
    assert [status for status, *_ in answers] == [200] * 4
    assert len(swift) == times
    assert seen[1:] == seen[:-1]


async def test_a_body_that_is_not_whole_goes_the_long_way(swift: list[SwiftExchange]) -> None:
    seen: list[tuple[bytes, bytes]] = []
    sent = request(PUT, body=b"abc")
    async with scripted(answering(OK, seen=seen)) as upstream, running(upstream.origin, MAIN) as g:
        for _ in range(2):
            await g.ask(sent)
        peer = await g.dial()
        await peer.send(sent[:-1])
        await g.ask(sent)
        await peer.send(sent[-1:])
        assert (await peer.read_answer())[0] == 200
        peer.close()
    assert len(swift) == 1
    assert [body for _, body in seen] == [b"abc"] * 4


async def test_pipelined_requests_are_answered_in_order(swift: list[SwiftExchange]) -> None:
    sent = request(PUT, body=b"abc")
    replies = [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number for number in range(9)]
    async with (
        scripted(answering(*replies)) as upstream,
        running(upstream.origin, MAIN) as gateway,
    ):
        peer = await gateway.dial()
        await peer.send(sent * 9)
        bodies = [(await peer.read_answer())[2] for _ in range(9)]
        peer.close()
    assert bodies == [b"%d" % number for number in range(9)]
    # The first ones are read before anything is known.
    assert swift


async def test_what_another_policy_knew_is_not_used(swift: list[SwiftExchange]) -> None:
    seen: list[tuple[bytes, bytes]] = []
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        while True:
            seen.append(await peer.read_request())
            if len(seen) == 3:
                asked.set()
                await may_answer.wait()
            await peer.send(OK)

    sent = request(PUT, body=b"abc")
    async with scripted(script) as upstream, running(upstream.origin, MAIN) as gateway:
        for _ in range(2):
            await gateway.ask(sent)
        peer = await gateway.dial()
        await peer.send(sent * 2)
        await asked.wait()
        await asyncio.sleep(0.05)
        gate = gateway.gateway.gate
        changed = gate.change(replace(gate.outfit, policy=policy_of()))
        may_answer.set()
        assert [(await peer.read_answer())[0] for _ in range(2)] == [200, 200]
        await changed
        peer.close()
    assert len(swift) == 1
    hosts = [values(head, b"host")[0].decode() for head, _ in seen]
    here = upstream.origin.removeprefix("http://")
    assert hosts == [here, here, here, "platform.ringcentral.com"]


async def test_a_policy_that_changes_as_the_request_begins_is_the_one(
    swift: list[SwiftExchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    """aiohttp makes the request object in one turn of the loop, and has it served in the next."""
    seen: list[tuple[bytes, bytes]] = []
    sent = request(PUT, body=b"abc")
    async with scripted(answering(OK, seen=seen)) as upstream, running(upstream.origin, MAIN) as g:
        for _ in range(2):
            await g.ask(sent)
        gate, make = g.gateway.gate, Server._make_incoming
        changed: list[asyncio.Future[None]] = []

        def make_and_change(server: Server, *args: Any) -> Incoming:
            made = make(server, *args)
            changed.append(gate.change(replace(gate.outfit, policy=policy_of())))
            return made

        (server,) = g.gateway.servers
        monkeypatch.setattr(server, "request_factory", partial(make_and_change, server))
        await g.ask(sent)
    assert not swift
    assert values(seen[-1][0], b"host") == [b"platform.ringcentral.com"]

"""Every request is answered once and told of once, whatever happens to it."""

import asyncio

import pytest

from gateway.config.load import load
from gateway.core.message import Listener
from gateway.engine import known_heads
from gateway.errors import Internal
from tests.reloads import change, config_for
from tests.wire import OK, PATH, PATIENCE_S, Peer, answering, request, running, scripted, values


async def test_a_bug_is_told_to_the_log_and_not_to_the_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(known_heads, "decide", broken)
    async with running("http://127.0.0.1:1") as gateway:
        peer = await gateway.dial()
        await peer.send(request() * 2)
        for _ in range(2):
            status, head, body = await peer.read_answer()
            assert (status, values(head, b"x-gateway-error")) == (500, [b"internal"])
            assert Internal().message.encode() in body
            assert b"secret" not in head + body
            assert b"Zero" not in head + body
        peer.close()
        assert [type(record.bug) for record in gateway.records] == [ZeroDivisionError] * 2
        assert gateway.gateway.gate.in_flight == 0


async def test_a_bug_after_the_head_cuts_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> int:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("gateway.engine.exchange.relay_reply", broken)
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(request())
        assert await peer.is_cut()
        peer.close()
        (record,) = gateway.records
        assert (record.status, record.code) == (200, "internal")
        assert record.cut == Internal().message
        assert isinstance(record.bug, ZeroDivisionError)


async def test_a_lost_connection_is_no_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(*_: object) -> int:
        raise ConnectionResetError("the caller is gone")

    monkeypatch.setattr("gateway.engine.exchange.relay_reply", lost)
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(request())
        assert await peer.read_to_end() == b""
        peer.close()
        (record,) = gateway.records
        assert (record.status, record.bug) == (499, None)


async def test_connections_and_requests_are_counted_in_and_out() -> None:
    release = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_request()
        counted.append((counts.connections, counts.in_flight))
        await release.wait()
        await peer.send(OK)

    counted: list[tuple[int, int]] = []
    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        counts = gateway.gateway.gate
        await counts.emptied()
        peers = [await gateway.dial() for _ in range(3)]
        for peer in peers:
            await peer.send(request())
        release.set()
        for peer in peers:
            assert (await peer.read_answer())[0] == 200
            peer.close()
        await counts.emptied()
        assert (counts.connections, counts.in_flight) == (0, 0)
        assert max(counted) <= (3, 3)
        assert len(gateway.records) == 3


async def test_the_head_is_the_bytes_that_were_received() -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with scripted(answering(OK, seen=seen)) as upstream, running(upstream.origin) as gateway:
        await gateway.ask(request(f"GET {PATH}?a=%7e&&b HTTP/1.1", "x-Odd: \xff\xc3\xa9 \t."))
    ((head, _),) = seen
    assert head.startswith(f"GET {PATH}?a=%7e&&b HTTP/1.1\r\n".encode())
    assert b"\r\nx-Odd: \xff\xc3\xa9 \t.\r\n" in head


def test_the_limits_of_the_contract_are_the_defaults() -> None:
    limits = load([], ['credentials.ringcentral.grant="none"'], {}).config.limits
    assert (limits.max_head_bytes, limits.max_target_bytes) == (65536, 16384)
    assert (limits.max_connections, limits.max_in_flight) == (10000, 1000)
    assert Listener().port is None


async def test_a_request_keeps_the_outfit_that_it_began_with() -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slow(peer: Peer) -> None:
        await peer.read_request()
        asked.set()
        await answer.wait()
        await peer.send(OK)

    async with (
        scripted(slow) as old,
        scripted(answering(OK)) as new,
        running(old.origin) as gateway,
    ):
        first, second = await gateway.dial(), await gateway.dial()
        await first.send(request())
        await asked.wait()
        await change(gateway, config_for(new.origin))
        over = gateway.gateway.gate.change(gateway.gateway.gate.outfit)
        await second.send(request())
        assert (await second.read_answer())[0] == 200
        assert not over.done()
        answer.set()
        assert (await first.read_answer())[0] == 200
        await asyncio.wait_for(over, PATIENCE_S)
        first.close()
        second.close()
    assert (old.connections, new.connections) == (1, 1)


async def test_a_change_that_no_request_sees_is_over_at_once() -> None:
    async with running("http://127.0.0.1:1") as gateway:
        gate_ = gateway.gateway.gate
        assert gate_.change(gate_.outfit).done()

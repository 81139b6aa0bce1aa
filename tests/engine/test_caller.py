"""The connection as aiohttp's loop and the exchange use it, beyond what callers can see.

What callers see is tested in tests/e2e/test_callers_*.py.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import cast

import pytest
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader

from gateway.core.message import Listener
from gateway.engine.caller import CallerConnection
from gateway.engine.outflow import Outgoing
from gateway.engine.server import Server
from tests.engine.linked import end_now
from tests.wire import OK, Running, answering, request, running, scripted

MAIN = "engine.fast_lane=false"


def unconnected(gateway: Running) -> CallerConnection:
    server = Server(gateway.gateway.gate, Listener())
    return cast(CallerConnection, server())


async def test_a_connection_that_is_gone_takes_and_gives_nothing() -> None:
    async with running("http://127.0.0.1:1", MAIN) as gateway:
        connection = unconnected(gateway)
        connection.write(b"hello")
        connection.abort()
        await connection.drain()
        await connection.linger()
        connection.close_if_idle()
        connection.bodies.close()
        assert await connection.bodies.read_body(EMPTY_PAYLOAD, 0.0) == b""
        payload = StreamReader(connection, 10, loop=asyncio.get_running_loop())
        with pytest.raises(ConnectionResetError, match="the caller is gone"):
            await connection.bodies.read_body(payload, 0.0)


async def test_an_answer_leaves_though_the_caller_ends_its_half_while_it_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()

        def slowly(do: Callable[..., None]) -> Callable[..., None]:
            def done(*given: object) -> None:
                do(*given)
                end_now(peer)
                # The end is here before the event loop looks again.
                time.sleep(0.01)

            return done

        monkeypatch.setattr(Outgoing, "write", slowly(Outgoing.write))
        monkeypatch.setattr(Outgoing, "writelines", slowly(Outgoing.writelines))
        await peer.send(request())
        assert (await peer.read_to_end()).startswith(b"HTTP/1.1 200 ")
        peer.close()


async def test_nothing_is_left_behind_and_nothing_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
            for sent in (request(), b"\xff", request() * 5, request()[:20], b"", request() + b"G"):
                peer = await gateway.dial()
                await peer.send(sent)
                if sent:
                    await peer.reader.read(1) if sent != request()[:20] else None
                peer.reset()
                peer.close()
            while gateway.gateway.gate.connections:
                await gateway.gateway.gate.emptied()
            (server,) = gateway.gateway.servers
            await asyncio.wait({asyncio.create_task(asyncio.sleep(0))})
            assert server.connections == []
    assert [record for record in caplog.records if record.name != "asyncio"] == []

"""The incoming half of a connection, beyond what callers can see.

What callers see is tested in tests/e2e/test_callers_*.py.
"""

from typing import cast

from gateway.engine.caller import CallerConnection
from gateway.engine.reception import MAX_QUEUED
from tests.wire import OK, PATH, answering, request, running, scripted


async def test_a_full_queue_of_requests_holds_the_rest_back() -> None:
    async with (
        scripted(answering(OK)) as upstream,
        running(upstream.origin, "engine.fast_lane=false") as gateway,
    ):
        peer = await gateway.dial()
        await peer.send(request())
        assert (await peer.read_answer())[0] == 200
        (server,) = gateway.gateway.servers
        connection = cast(CallerConnection, server.connections[0])
        connection.data_received(request() * 100)
        assert len(connection._messages) == MAX_QUEUED
        for _ in range(100):
            assert (await peer.read_answer())[0] == 200
        peer.close()


async def test_a_body_larger_than_every_buffer_goes_on_when_it_is_read() -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with scripted(answering(OK, seen=seen)) as upstream, running(upstream.origin) as gateway:
        body = bytes(range(256)) * 8192
        peer = await gateway.dial()
        await peer.send(request(f"POST {PATH} HTTP/1.1", body=body) + request())
        assert (await peer.read_answer())[0] == 200
        assert (await peer.read_answer())[0] == 200
        peer.close()
    assert seen[0][1] == body

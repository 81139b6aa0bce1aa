"""The incoming half of a connection, beyond what callers can see.

What callers see is tested in tests/e2e/test_callers_*.py.
"""

from typing import cast

from gateway.engine.caller import CallerConnection
from gateway.engine.reception import MAX_QUEUED
from tests.wire import OK, answering, request, running, scripted


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

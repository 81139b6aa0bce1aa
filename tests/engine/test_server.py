"""The server makes our connections, on the C parser."""

import pytest
from aiohttp.http_parser import HttpRequestParserPy

from gateway.core.message import Listener
from gateway.engine import server
from gateway.engine.caller import CallerConnection
from gateway.engine.server import Server, parser_kind
from tests.wire import OK, answering, request, running, scripted

# Of whose connections the server has a list.
MAIN = "engine.fast_lane=false"


def test_the_parser_is_llhttp() -> None:
    assert parser_kind() == "c"


def test_the_pure_python_parser_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HttpRequestParser", HttpRequestParserPy)
    assert parser_kind() == "python"


async def test_a_connection_knows_its_listener() -> None:
    async with running("http://127.0.0.1:1", MAIN) as gateway:
        listener = Listener(1234, True)
        connection = Server(gateway.gateway.gate, listener)()
        assert isinstance(connection, CallerConnection)
        assert connection.listener is listener


async def test_idle_connections_are_closed_and_others_are_not() -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin, MAIN) as gateway:
        (made,) = gateway.gateway.servers
        idle, begun = await gateway.dial(), await gateway.dial()
        for peer in (idle, begun):
            await peer.send(request())
            assert (await peer.read_answer())[0] == 200
        name = begun.writer.get_extra_info("sockname")
        (connection,) = [one for one in made.connections if one.peername == name]
        connection.data_received(request()[:10])
        made.close_idle()
        assert await idle.read_to_end() == b""
        await begun.send(request()[10:])
        assert (await begun.read_answer())[0] == 200
        made.abort()
        assert await begun.is_cut()
        idle.close()
        begun.close()

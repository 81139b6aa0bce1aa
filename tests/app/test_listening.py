"""Listeners that come and go while the gateway serves."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.app.listening import Listening
from gateway.config.binds import Bind, parse_bind
from gateway.engine.listen import CannotBind
from tests.wire import OK, PATIENCE_S, Peer, answering, request, running, scripted, values

ANY = "127.0.0.1:0"


@asynccontextmanager
async def listening_on(*binds: str) -> AsyncIterator[Listening]:
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        listening = Listening(gateway.gateway.gate)
        await change(listening, *binds)
        yield listening
        listening.close()
        for server in listening.servers:
            server.abort()
        await listening.settle()


async def change(listening: Listening, *binds: str) -> None:
    await listening.commit(await listening.prepare([parse_bind(bind) for bind in binds]))


async def dial(bind: Bind) -> Peer:
    return Peer(*await asyncio.open_connection(bind.host, bind.port))


async def ask(peer: Peer) -> list[bytes]:
    """Return what an answer says of the connection."""
    await peer.send(request())
    status, head, _ = await peer.read_answer()
    assert status == 200
    return list(values(head, b"connection"))


async def until_refused(bind: Bind) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                (await dial(bind)).close()
            except ConnectionError:
                return


async def test_a_bind_that_stays_keeps_its_port_and_its_connections() -> None:
    async with listening_on(ANY) as listening:
        (bind,) = listening.binds
        peer = await dial(bind)
        assert await ask(peer) == []
        await change(listening, ANY, ANY)
        assert listening.binds[0] == bind
        assert len({one.port for one in listening.binds}) == 2
        assert await ask(peer) == []
        peer.close()


async def test_a_bind_that_is_gone_ends_its_connections_with_their_answers() -> None:
    async with listening_on(ANY, ANY) as listening:
        stays, goes = listening.binds
        busy, idle, other = await dial(goes), await dial(goes), await dial(stays)
        assert await ask(idle) == await ask(other) == []
        await busy.send(request()[:-2])
        await change(listening, ANY)
        await until_refused(goes)
        assert await idle.read_to_end() == b""
        await busy.send(b"\r\n")
        assert values((await busy.read_answer())[1], b"connection") == [b"close"]
        assert await busy.read_to_end() == b""
        assert await ask(other) == []
        for peer in (busy, idle, other):
            peer.close()


async def test_nothing_is_opened_when_one_of_them_cannot_be() -> None:
    async with listening_on(ANY) as listening:
        before = listening.binds
        with socket.create_server(("127.0.0.1", 0)) as first:
            free = f"127.0.0.1:{first.getsockname()[1]}"
        with (
            socket.create_server(("127.0.0.1", 0)) as taken,
            pytest.raises(CannotBind, match="in use by another process"),
        ):
            await change(listening, ANY, free, f"127.0.0.1:{taken.getsockname()[1]}")
        assert listening.binds == before
        with pytest.raises(ConnectionRefusedError):
            await dial(parse_bind(free))
        (await dial(before[0])).close()


async def test_the_same_port_on_another_address_is_refused_with_the_reason() -> None:
    async with listening_on(ANY) as listening:
        port = listening.binds[0].port
        with pytest.raises(CannotBind, match=r"itself holds the port, as 127\.0\.0\.1:") as caught:
            await change(listening, f"0.0.0.0:{port}")
        assert str(caught.value).startswith(f"cannot listen on 0.0.0.0:{port}: ")
        assert "choose another port, or restart" in str(caught.value)


async def test_the_file_of_a_unix_socket_goes_with_its_bind(tmp_path: Path) -> None:
    path = tmp_path / "data.sock"
    async with listening_on(f"unix:{path}") as listening:
        peer = Peer(*await asyncio.open_unix_connection(str(path)))
        assert await ask(peer) == []
        await change(listening, ANY)
        assert await peer.read_to_end() == b""
        assert not path.exists()
        peer.close()


async def test_what_was_prepared_can_be_given_up() -> None:
    async with listening_on(ANY) as listening:
        prepared = await listening.prepare([parse_bind(ANY), parse_bind(ANY)])
        (bind,) = prepared.new[0].binds
        prepared.discard()
        with pytest.raises(ConnectionRefusedError):
            await dial(bind)


@pytest.mark.parametrize("lane", ["true", "false"])
async def test_who_is_under_way_on_a_bind_that_is_gone_can_still_be_cut(lane: str) -> None:
    asked = asyncio.Event()

    async def silent(peer: Peer) -> None:
        await peer.read_request()
        asked.set()
        await peer.read_to_end()

    fast_lane = f"engine.fast_lane={lane}"
    async with scripted(silent) as upstream, running(upstream.origin, fast_lane) as gateway:
        listening = Listening(gateway.gateway.gate)
        await change(listening, ANY)
        peer = await dial(listening.binds[0])
        await peer.send(request())
        await asked.wait()
        await change(listening)
        assert listening.binds == []
        for server in listening.servers:
            server.abort()
        assert await peer.is_cut()
        peer.close()
        await gateway.gateway.gate.emptied()
        assert listening.servers == []
        await listening.settle()

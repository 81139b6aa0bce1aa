"""What aiohttp's loop is given and asks for."""

import asyncio
from functools import partial
from typing import Any, cast

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpRequestParser

from gateway.core.message import Listener
from gateway.engine.incoming import RECALLED, Incoming, Manager, Outcome, Source, target_of
from gateway.engine.server import Server
from tests.wire import OK, PATH, answering, request, running, scripted

MAIN = "engine.fast_lane=false"


class Nowhere:
    """A connection that an `Incoming` may hold and nobody uses."""

    listener = Listener()
    client_address = ""
    listens: Manager
    # No socket.
    wire = None

    @property
    def has_room(self) -> bool:
        raise AssertionError

    def write(self, data: bytes, is_whole: bool = False) -> None:
        raise AssertionError(data)

    def writelines(self, pieces: tuple[bytes, ...]) -> None:
        raise AssertionError(pieces)

    async def drain(self) -> None:
        raise AssertionError

    @property
    def bodies(self) -> Source:
        raise AssertionError

    async def linger(self) -> None:
        raise AssertionError

    def close_if_idle(self) -> None:
        raise AssertionError

    def abort(self) -> None:
        raise AssertionError


async def test_who_reads_a_body_hears_that_the_connection_is_gone() -> None:
    loop = asyncio.get_running_loop()
    protocol = BaseProtocol(loop)
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
    ((message, payload),), _, _ = HttpRequestParser(protocol, loop, 65536).feed_data(head)
    incoming = Incoming(message, payload, Nowhere(), cast(Any, None))
    assert incoming.flaw is None
    incoming._finish()
    incoming._cancel(ConnectionResetError("gone"))
    with pytest.raises(ConnectionResetError, match="gone"):
        await payload.readany()


@pytest.mark.parametrize(("line", "target"), [(b"GET /a?b HTTP/1.1", b"/a?b"), (b"CONNECT ", b"")])
async def test_a_target_is_what_was_sent_also_when_there_is_none(
    line: bytes, target: bytes
) -> None:
    loop = asyncio.get_running_loop()
    parser = HttpRequestParser(BaseProtocol(loop), loop, 65536)
    ((message, _),), _, _ = parser.feed_data(line + b"\r\nHost: a\r\n\r\n")
    assert target_of(message) == target


@pytest.mark.parametrize("keep", [False, True])
async def test_an_outcome_is_written_already(keep: bool) -> None:
    outcome = Outcome(keep)
    await outcome.prepare(object())
    await outcome.write_eof()
    assert outcome.keep_alive is keep


async def test_an_idle_connection_holds_nothing_of_its_last_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[tuple[Incoming, bool]] = []
    make = Server._make_incoming

    def noted(server: Server, *args: Any) -> Incoming:
        incoming = make(server, *args)
        made.append((incoming, incoming.message is RECALLED))
        return incoming

    sent = request(f"PUT {PATH} HTTP/1.1", "Authorization: Bearer secret", body=b"abc")
    async with scripted(answering(OK)) as upstream, running(upstream.origin, MAIN) as gateway:
        (server,) = gateway.gateway.servers
        monkeypatch.setattr(server, "request_factory", partial(noted, server))
        peer = await gateway.dial()
        for _ in range(4):
            await peer.send(sent)
            assert (await peer.read_answer())[0] == 200
        await asyncio.sleep(0.01)
        assert made[-1][1]
        assert [(one.head, one.body) for one, _ in made] == [(b"", None)] * 4
        peer.close()

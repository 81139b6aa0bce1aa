"""What is written leaves at the end of the turn: in order, whole, and never by another's socket."""

import asyncio
import gc
import os
import random
import socket
import ssl
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trustme
import uvloop

from gateway.engine.wire import MOST_HELD_BYTES, Wire
from tests.engine.held import Held

PATIENCE_S = 10.0
# More than two socket buffers take.
TOO_MUCH = 20_000_000


@asynccontextmanager
async def wired() -> AsyncIterator[tuple[Wire, Held, socket.socket]]:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = socket.create_connection(server.getsockname())
        ours, _ = server.accept()
    theirs.setblocking(False)
    transport, held = await loop.create_connection(Held, sock=ours)
    wire = Wire(transport, loop)
    try:
        yield wire, held, theirs
    finally:
        if not held.lost.done():
            wire.abort()
        await asyncio.wait_for(held.lost, PATIENCE_S)
        theirs.close()


async def receive(sock: socket.socket, size: int) -> bytes:
    """Return `size` bytes, fewer when the other side ends."""
    loop = asyncio.get_running_loop()
    taken = bytearray()
    async with asyncio.timeout(PATIENCE_S):
        while len(taken) < size and (data := await loop.sock_recv(sock, 1 << 20)):
            taken += data
    return bytes(taken)


def at_hand(sock: socket.socket) -> bytes:
    """Return what has arrived by now."""
    try:
        return sock.recv(1 << 20)
    except BlockingIOError:
        return b""


async def test_short_pieces_leave_together_at_the_end_of_the_turn() -> None:
    async with wired() as (one, _, theirs), wired() as (two, _, others):
        one.write(b"a")
        two.write(b"b")
        one.write(b"c")
        assert (at_hand(theirs), at_hand(others)) == (b"", b"")
        assert (one.get_write_buffer_size(), two.get_write_buffer_size()) == (2, 1)
        await asyncio.sleep(0)
        assert (at_hand(theirs), at_hand(others)) == (b"ac", b"b")
        assert one.get_write_buffer_size() == 0


async def test_a_message_that_is_whole_leaves_at_once_while_there_are_few() -> None:
    async with (
        wired() as (one, _, theirs),
        wired() as (two, _, others),
        wired() as (three, _, more),
    ):
        ends = (theirs, others, more)
        for _ in range(2):
            for wire in (one, two, three):
                wire.write(b"a", is_whole=True)
            # Only the turn after one with many has its messages wait for each other.
            assert [at_hand(end) for end in ends] == [b"a"] * 3
            await asyncio.sleep(0)
            for wire in (one, two):
                wire.write(b"b", is_whole=True)
            assert [at_hand(end) for end in ends] == [b""] * 3
            await asyncio.sleep(0)
            assert [at_hand(end) for end in ends] == [b"b", b"b", b""]
        one.write(b"c", is_whole=True)
        one.write(b"d", is_whole=True)
        two.write(b"e")
        two.write(b"f", is_whole=True)
        assert [at_hand(end) for end in (theirs, others)] == [b"cd", b""]
        await asyncio.sleep(0)
        assert [at_hand(end) for end in (theirs, others)] == [b"", b"ef"]


async def test_what_is_written_now_leaves_now_with_what_was_held() -> None:
    async with wired() as (wire, _, theirs):
        wire.write_now(b"a")
        assert at_hand(theirs) == b"a"
        wire.write(b"b")
        wire.write_now(b"c")
        assert at_hand(theirs) == b"bc"
        await asyncio.sleep(0)
        assert at_hand(theirs) == b""


@pytest.mark.parametrize("seed", range(8))
async def test_bytes_arrive_as_they_were_written_whatever_their_sizes(seed: int) -> None:
    chance = random.Random(seed)
    sizes = (0, 1, 400, MOST_HELD_BYTES - 1, MOST_HELD_BYTES, MOST_HELD_BYTES + 1, 3_000_000)
    async with wired() as (wire, _, theirs):
        pieces = [chance.randbytes(chance.choice(sizes)) for _ in range(12)]
        reading = asyncio.create_task(receive(theirs, sum(map(len, pieces))))
        for piece in pieces:
            if chance.random() < 0.3:
                wire.write(piece, is_whole=chance.random() < 0.5)
            elif chance.random() < 0.4:
                wire.write_now(piece)
            else:
                cut = chance.randint(0, len(piece))
                wire.writelines((piece[:cut], piece[cut:], b""))
            if chance.random() < 0.4:
                await asyncio.sleep(0)
        assert await reading == b"".join(pieces)


@pytest.mark.parametrize("end", [Wire.write_eof, Wire.close])
async def test_an_end_comes_after_all_that_was_written(end: object) -> None:
    assert callable(end)
    for size in (5, TOO_MUCH):
        async with wired() as (wire, _, theirs):
            wire.write(b"x" * size)
            end(wire)
            assert len(await receive(theirs, size + 1)) == size


async def test_what_has_not_left_is_lost_with_an_abort() -> None:
    async with wired() as (wire, held, theirs):
        wire.write(b"half of an answ")
        wire.abort()
        await asyncio.wait_for(held.lost, PATIENCE_S)
        assert await receive(theirs, 1) == b""


async def test_what_the_socket_does_not_take_is_told_and_still_sent() -> None:
    async with wired() as (wire, _, theirs):
        told: list[int] = []
        wire.on_backlog = lambda: told.append(wire.get_write_buffer_size())
        wire.write(b"x" * 1000)
        await asyncio.sleep(0)
        assert not told
        written = 1000
        while not told:
            wire.write(b"y" * MOST_HELD_BYTES)
            written += MOST_HELD_BYTES
            await asyncio.sleep(0)
        assert 0 < told[0] <= MOST_HELD_BYTES
        wire.write(b"z")
        assert len(data := await receive(theirs, written + 1)) == written + 1
        assert data.endswith(b"yz")


async def test_a_backlog_asks_for_a_pause_and_what_is_empty_does_not_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with wired() as (wire, held, theirs):
        pauses: list[bool] = []
        monkeypatch.setattr(held, "pause_writing", lambda: pauses.append(True))
        wire.write(b"head")
        wire.write(b"x" * TOO_MUCH)
        assert pauses
        wire.write(b"")
        assert len(await receive(theirs, 4 + TOO_MUCH)) == 4 + TOO_MUCH
        assert wire.get_write_buffer_size() == 0
        wire.close()
        await asyncio.wait_for(held.lost, PATIENCE_S)


async def test_all_that_the_transport_was_given_counts_as_taken_when_it_is() -> None:
    async with wired() as (wire, _, theirs):
        wire.write(b"x" * TOO_MUCH)
        held = wire.get_write_buffer_size()
        await receive(theirs, TOO_MUCH)
        before = wire.taken_bytes
        assert wire.get_write_buffer_size() == 0 < held
        wire.write(b"h" * 3000)
        wire.write(b"d" * MOST_HELD_BYTES)
        await receive(theirs, 3000 + MOST_HELD_BYTES)
        await asyncio.sleep(0)
        assert wire.taken_bytes - before == 3000 + MOST_HELD_BYTES


async def test_a_closed_connection_is_not_written_to_though_its_number_is_anothers() -> None:
    async with wired() as (wire, held, _):
        number = wire.get_extra_info("socket").fileno()
        wire.write(b"secret")
        # As when the loop meets an error in the turn in which something was written.
        wire._transport.abort()
        await asyncio.wait_for(held.lost, PATIENCE_S)
        pair = socket.socketpair()
        taken = next((sock for sock in pair if sock.fileno() == number), None)
        if taken is None:
            os.dup2(pair[0].fileno(), number)
        wire.send()
        wire.write(b"more")
        await asyncio.sleep(0.01)
        for sock in pair:
            sock.setblocking(False)
            assert at_hand(sock) == b""
            sock.close()
        if taken is None:
            os.close(number)


async def test_a_reset_is_met_by_the_transport() -> None:
    async with wired() as (wire, held, theirs):
        theirs.close()
        while not held.lost.done():
            wire.write(b"x" * 1000)
            await asyncio.sleep(0.001)
        assert wire.is_closing()
        wire.write(b"nobody")
        await asyncio.sleep(0)


async def test_a_write_that_fails_does_not_hold_up_the_others() -> None:
    loop = asyncio.get_running_loop()
    told: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: told.append(context))
    async with wired() as (bad, held, _), wired() as (good, _, theirs):
        bad.write_eof()
        bad.write(b"too late")
        good.write(b"other")
        await asyncio.sleep(0.01)
        good.write(b" and more")
        assert await receive(theirs, 14) == b"other and more"
        await asyncio.wait_for(held.lost, PATIENCE_S)
    assert len(told) == 1
    assert isinstance(told[0]["exception"], RuntimeError)


def test_a_loop_that_is_over_is_not_kept() -> None:
    async def write() -> weakref.ref[asyncio.AbstractEventLoop]:
        async with wired() as (wire, _, theirs):
            wire.write(b"x")
            assert await receive(theirs, 1) == b"x"
        return weakref.ref(asyncio.get_running_loop())

    for make in (asyncio.new_event_loop, uvloop.new_event_loop):
        with asyncio.Runner(loop_factory=make) as runner:
            loop = runner.run(write())
        del runner
        gc.collect()
        assert loop() is None


async def test_under_tls_the_transport_writes_and_encrypts() -> None:
    authority = trustme.CA()
    here, there = ssl.create_default_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.configure_trust(here)
    authority.issue_cert("localhost").configure_cert(there)
    seen = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.set_result(await reader.readexactly(6))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=there)
    async with server:
        port = server.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        transport, held = await loop.create_connection(
            Held, "127.0.0.1", port, ssl=here, server_hostname="localhost"
        )
        wire = Wire(transport, loop)
        wire.write(b"sec")
        wire.write(b"ret")
        assert await asyncio.wait_for(seen, PATIENCE_S) == b"secret"
        wire.close()
        await asyncio.wait_for(held.lost, PATIENCE_S)

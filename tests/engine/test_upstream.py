import asyncio
import itertools
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.engine.inflow import FULL_BYTES
from gateway.engine.upstream import UpstreamConnection
from gateway.errors import RequestTimeout, UpstreamBroken, UpstreamTimeout
from tests.engine.linked import ASK, end_now, linked, soon
from tests.wire import OK

CHUNKED = (
    b"HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX: y\r\n\r\n"
)


async def read_all(connection: UpstreamConnection) -> bytes:
    body = b""
    while piece := await connection.read_body(5):
        body += piece
    return body


async def read_reply(connection: UpstreamConnection) -> bytes:
    await connection.read_head(soon())
    return await read_all(connection)


async def read_pieces(stream: bytes, *cuts: int) -> tuple[int, bytes, bool]:
    """Return the status, the body and whether all was read, of pieces as they would arrive."""
    connection = UpstreamConnection(asyncio.get_running_loop())
    connection.ask("GET", ASK)
    for start, end in itertools.pairwise([0, *sorted(cuts), len(stream)]):
        connection.data_received(stream[start:end])
    head = await connection.read_head(soon())
    data, is_last = connection.take_body()
    return head.status, data, is_last


async def test_a_reply_is_the_same_wherever_it_is_cut() -> None:
    expected = (200, b"hello world", True)
    for cut in range(len(CHUNKED)):
        assert await read_pieces(CHUNKED, cut) == expected
    assert await read_pieces(CHUNKED, *range(1, len(CHUNKED))) == expected


@given(st.lists(st.integers(1, len(CHUNKED) - 1), max_size=9))
def test_a_reply_is_the_same_however_often_it_is_cut(cuts: list[int]) -> None:
    assert asyncio.run(read_pieces(CHUNKED, *cuts)) == (200, b"hello world", True)


async def test_a_connection_serves_again_after_a_clean_end() -> None:
    async with linked() as (connection, peer):
        for uses in (1, 2, 3):
            connection.ask("GET", ASK)
            assert await peer.read_head() == ASK
            await peer.send(OK)
            assert (await connection.read_head(soon())).status == 200
            assert await read_all(connection) == b"ok"
            assert connection.is_reusable()
            connection.rest()
            assert (connection.uses, connection.is_quiet()) == (uses, True)


async def test_names_that_are_not_remembered_are_not_kept_with_an_idle_connection() -> None:
    many = b"".join(b"X-%d: 1\r\n" % number for number in range(900))
    async with linked() as (connection, peer):
        for fields, is_kept in ((b"", True), (many, False), (b"X-One: 1\r\n", True)):
            connection.ask("GET", ASK)
            await peer.send(b"HTTP/1.1 200 OK\r\n" + fields + b"Content-Length: 0\r\n\r\n")
            await connection.read_head(soon())
            connection.rest()
            assert (connection._heads._like is not None) == is_kept


async def test_a_body_that_nobody_took_does_not_stay_with_an_idle_connection() -> None:
    async with linked() as (connection, peer):
        connection.ask("GET", ASK)
        await peer.send(OK)
        await connection.read_head(soon())
        assert connection.is_reusable()
        connection.rest()
        assert connection._body.held_bytes == 0


async def test_nothing_is_reusable_before_its_body_has_ended() -> None:
    async with linked() as (connection, peer):
        assert not connection.is_reusable()
        connection.ask("GET", ASK)
        assert not connection.is_reusable()
        await peer.send(OK[:-1])
        await connection.read_head(soon())
        assert not connection.is_reusable()


async def test_a_connection_with_unwritten_bytes_is_not_reusable() -> None:
    async with linked() as (connection, peer):
        connection.ask("PUT", ASK + b"x" * 20_000_000)
        await peer.send(OK)
        await connection.read_head(soon())
        assert await read_all(connection) == b"ok"
        assert not connection.is_reusable()


async def test_unasked_bytes_condemn_an_idle_connection() -> None:
    async with linked() as (connection, peer):
        await peer.send(OK)
        assert await peer.read_to_end() == b""
        assert not connection.is_open


@pytest.mark.parametrize("how", ["speaks", "ends", "resets"])
async def test_the_kernel_is_asked_before_the_loop_has_read(how: str) -> None:
    async with linked() as (connection, peer):
        assert connection.is_quiet()
        # Done and asked within one turn of the loop: the connection cannot have read it.
        match how:
            case "speaks":
                peer.writer.write(b"HTTP/1.1 408 Timeout\r\n\r\n")
            case "ends":
                end_now(peer)
            case _:
                peer.reset()
                await asyncio.sleep(0)
        assert not connection.is_quiet()
        assert connection.is_cut is (how == "resets")


async def test_an_end_before_the_head_is_told_though_the_request_is_unwritten() -> None:
    async with linked() as (connection, peer):
        connection.ask("PUT", ASK + b"x" * 20_000_000)
        peer.writer.write_eof()
        with pytest.raises(UpstreamBroken, match="closed the connection"):
            await connection.read_head(soon())
        assert not connection.reply_started


async def test_a_body_until_close_ends_though_the_request_is_unwritten() -> None:
    async with linked() as (connection, peer):
        connection.ask("PUT", ASK + b"x" * 20_000_000)
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
        peer.writer.write_eof()
        assert (await connection.read_head(soon())).status == 200
        assert await read_all(connection) == b"hello"
        assert not connection.is_reusable()


@pytest.mark.parametrize("reply", [b"", OK[:9], OK[:-1]])
async def test_a_reset_is_told_at_once(reply: bytes) -> None:
    async with linked() as (connection, peer):
        connection.ask("GET", ASK)
        await peer.send(reply)
        peer.reset()
        with pytest.raises(UpstreamBroken, match="the connection before its reply was complete"):
            await read_reply(connection)
        assert connection.reply_started is bool(reply)


async def test_what_came_before_a_failure_is_read_before_it_is_told() -> None:
    connection = UpstreamConnection(asyncio.get_running_loop())
    connection.ask("GET", ASK)
    connection.data_received(OK[:-1])
    connection.connection_lost(ConnectionResetError())
    assert (await connection.read_head(soon())).status == 200
    assert await connection.read_body(5) == b"o"
    with pytest.raises(UpstreamBroken, match="broke the connection"):
        await connection.read_body(5)


@pytest.mark.parametrize(
    ("framing", "body", "why"),
    [
        (b"Transfer-Encoding: chunked", b"2\r\nok\r\n0\r\n", "before the body was complete"),
        (b"Transfer-Encoding: chunked", b"2\r\nok\r\nx\r\n", "chunked its reply badly"),
        (b"Content-Length: 3", b"ok", "before the body was complete"),
    ],
)
async def test_a_body_that_is_broken_is_told(framing: bytes, body: bytes, why: str) -> None:
    async with linked() as (connection, peer):
        connection.ask("GET", ASK)
        await peer.send(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n" + body)
        peer.writer.write_eof()
        with pytest.raises(UpstreamBroken, match=why):
            await read_reply(connection)
        assert not connection.is_reusable()


async def test_an_early_reply_before_a_cut_is_not_lost_behind_what_was_written_just_before() -> (
    None
):
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = socket.create_connection(server.getsockname())
        ours, _ = server.accept()
    _, connection = await loop.create_connection(lambda: UpstreamConnection(loop), sock=ours)
    connection.ask("POST", ASK)
    await asyncio.sleep(0)
    assert not connection.is_cut
    connection.write(b"a piece of the body")
    theirs.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
    # struct linger { on, 0 seconds }: closing sends a reset.
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()
    assert (await connection.read_head(soon())).status == 413
    connection.abort()
    await asyncio.sleep(0.01)


async def test_the_first_failure_stays() -> None:
    connection = UpstreamConnection(asyncio.get_running_loop())
    connection.ask("GET", ASK)
    connection.fail(RequestTimeout("the body did not come"))
    connection.connection_lost(None)
    with pytest.raises(RequestTimeout, match="the body did not come"):
        await connection.read_head(soon())


async def test_no_head_in_time_is_a_timeout() -> None:
    async with linked() as (connection, peer):
        connection.ask("GET", ASK)
        await peer.send(OK[:9])
        with pytest.raises(UpstreamTimeout, match=r"no reply in time \(timeouts\.first_byte_s\)"):
            await connection.read_head(soon(0.05))


async def test_a_silent_body_is_a_timeout() -> None:
    async with linked() as (connection, peer):
        connection.ask("GET", ASK)
        await peer.send(OK[:-1])
        await connection.read_head(soon())
        assert await connection.read_body(5) == b"o"
        with pytest.raises(UpstreamTimeout, match=r"nothing of its body for 0\.05 s"):
            await connection.read_body(0.05)


async def test_no_more_is_read_than_is_taken() -> None:
    size = 20_000_000
    async with linked() as (connection, peer):
        connection.ask("GET", ASK)
        sending = asyncio.create_task(
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"a" * size)
        )
        await connection.read_head(soon())
        most = taken = 0
        while not taken or not sending.done():
            data, _ = connection.take_body()
            data = data or await connection.read_body(5)
            most, taken = max(most, len(data)), taken + len(data)
            # The peer may send as much as it can.
            for _ in range(5):
                await asyncio.sleep(0)
        assert taken + len(await read_all(connection)) == size
        # One read of the event loop may come on top.
        assert most <= FULL_BYTES + (256 << 10)
        assert connection.is_reusable()


async def test_an_upload_waits_for_upstream_and_survives_a_cancelled_wait() -> None:
    async with linked() as (connection, peer):
        connection.ask("PUT", ASK)
        connection.write(b"x" * 20_000_000)
        waiting = asyncio.create_task(connection.drain())
        await asyncio.sleep(0)
        waiting.cancel()
        again = asyncio.create_task(connection.drain())
        await asyncio.sleep(0)
        assert not again.done()
        await peer.read(len(ASK) + 20_000_000)
        await asyncio.wait_for(again, 5)
        await connection.drain()


async def test_who_waits_to_write_is_woken_when_the_connection_ends() -> None:
    async with linked() as (connection, peer):
        connection.ask("PUT", ASK + b"x" * 20_000_000)
        waiting = asyncio.create_task(connection.drain())
        await asyncio.sleep(0)
        peer.reset()
        await asyncio.wait_for(waiting, 5)
        connection.write(b"more")
        connection.abort()


async def test_a_connection_without_tls_has_no_certificate() -> None:
    async with linked() as (connection, _):
        assert connection.certificate is None
    assert UpstreamConnection(asyncio.get_running_loop()).certificate is None

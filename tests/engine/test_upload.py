import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.chunked import render_chunk
from gateway.core.framing import CHUNKED, EMPTY, NO_BODY, Framing
from gateway.errors import BodyTooLarge, RequestTimeout
from tests.engine.linked import ASK, linked, soon
from tests.engine.uploads import LIMITS, Caller, of_length
from tests.wire import OK

LAST = b"0\r\n\r\n"


@pytest.mark.parametrize(("framing", "line"), [(NO_BODY, b""), (EMPTY, b"Content-Length: 0\r\n")])
async def test_no_body_leaves_as_it_was_declared(framing: Framing, line: bytes) -> None:
    upload = Caller(is_whole=True).upload(framing)
    await upload.gather(soon())
    assert (upload.framing_line, upload.begin(), upload.is_sent) == (line, b"", True)


@given(st.lists(st.binary(min_size=1, max_size=4), max_size=5))
def test_a_body_that_is_here_leaves_with_its_head(pieces: list[bytes]) -> None:
    body = b"".join(pieces)

    async def run(framing: Framing) -> tuple[object, ...]:
        upload = Caller(*pieces, is_whole=True).upload(framing)
        await upload.gather(soon())
        return upload.framing, upload.begin(), upload.is_sent, upload.size

    whole = (of_length(len(body)), body, True, len(body))
    assert asyncio.run(run(of_length(len(body)))) == whole
    chunked = asyncio.run(run(CHUNKED))
    if len(body) <= LIMITS.replay_body_bytes:
        assert chunked == whole
    else:
        assert chunked == (CHUNKED, render_chunk(body), False, len(body))


async def test_a_body_with_a_length_is_not_waited_for() -> None:
    upload = Caller(b"abc").upload(of_length(9))
    await upload.gather(soon())
    assert (upload.framing_line, upload.begin()) == (b"Content-Length: 9\r\n", b"")
    assert not upload.is_sent


async def test_a_chunked_body_is_waited_for_until_it_cannot_be_held() -> None:
    caller = Caller(b"abc")
    upload = caller.upload(CHUNKED)
    gathering = asyncio.create_task(upload.gather(soon()))
    await asyncio.sleep(0)
    assert upload.waiting
    caller.payload.feed_data(b"d" * 8)
    await gathering
    assert (upload.is_held, upload.is_read, upload.framing) == (False, False, CHUNKED)
    assert upload.begin() == b"b\r\nabcdddddddd\r\n"


async def test_a_chunked_body_that_does_not_come_is_the_callers_fault() -> None:
    upload = Caller(b"abc").upload(CHUNKED)
    with pytest.raises(RequestTimeout):
        await upload.gather(soon(0.05))
    assert not upload.waiting


@pytest.mark.parametrize("framing", [of_length(101), CHUNKED])
async def test_the_limit_is_on_what_came_whatever_was_declared(framing: Framing) -> None:
    upload = Caller(b"x" * 101, is_whole=True).upload(framing)
    with pytest.raises(BodyTooLarge, match="over 100 bytes"):
        await upload.gather(soon())


@pytest.mark.parametrize("framing", [of_length(20), CHUNKED])
async def test_the_rest_is_sent_as_it_comes(framing: Framing) -> None:
    async with linked() as (connection, peer):
        caller = Caller(b"a" * 11)
        upload = caller.upload(framing)
        await upload.gather(soon())
        connection.ask("PUT", ASK + upload.begin())
        sending = asyncio.create_task(upload.stream(connection))
        caller.payload.feed_data(b"b" * 9)
        caller.payload.feed_eof()
        await sending
        assert (upload.is_sent, upload.is_read, upload.is_held) == (True, True, False)
        expected = b"a" * 11 + b"b" * 9
        if framing is CHUNKED:
            expected = render_chunk(b"a" * 11) + render_chunk(b"b" * 9) + LAST
        assert await peer.read(len(ASK + expected)) == ASK + expected


async def test_what_is_held_can_begin_again() -> None:
    async with linked() as (first, stale), linked() as (second, peer):
        caller = Caller(b"abc")
        upload = caller.upload(of_length(9))
        first.ask("PUT", ASK + upload.begin())
        sending = asyncio.create_task(upload.stream(first))
        assert await stale.read(len(ASK) + 3) == ASK + b"abc"
        sending.cancel()
        await asyncio.wait((sending,))
        assert upload.is_held
        caller.payload.feed_data(b"defghi")
        caller.payload.feed_eof()
        second.ask("PUT", ASK + upload.begin())
        await upload.stream(second)
        assert await peer.read(len(ASK) + 9) == ASK + b"abcdefghi"
        assert upload.is_sent


async def test_a_body_that_was_not_finished_is_not_ended() -> None:
    async with linked() as (connection, peer):
        caller = Caller(b"a" * 11)
        upload = caller.upload(CHUNKED)
        await upload.gather(soon())
        connection.ask("PUT", ASK + upload.begin())
        sending = asyncio.create_task(upload.stream(connection))
        caller.payload.set_exception(ConnectionResetError())
        with pytest.raises(ConnectionResetError):
            await sending
        connection.abort()
        assert not upload.is_sent
        assert await peer.read_to_end() == ASK + render_chunk(b"a" * 11)


async def test_nothing_is_written_to_a_connection_that_was_cut() -> None:
    async with linked() as (connection, peer):
        caller = Caller(b"a" * 11)
        upload = caller.upload(of_length(99))
        connection.ask("PUT", ASK + upload.begin())
        await peer.read_head()
        # The answer and then the reset are in the kernel, and the next piece is here already.
        await peer.send(OK)
        peer.reset()
        await asyncio.sleep(0)
        await upload.stream(connection)
        assert not upload.is_sent
        assert (await connection.read_head(soon())).status == 200
        assert await connection.read_body(5) == b"ok"


@pytest.mark.parametrize("framing", [of_length(6), CHUNKED])
async def test_a_body_to_be_restored_is_waited_for_and_leaves_with_its_new_length(
    framing: Framing,
) -> None:
    caller = Caller(b"abc")
    upload = caller.upload(framing, bytes.swapcase)
    loop = asyncio.get_running_loop()
    loop.call_soon(caller.payload.feed_data, b"def")
    loop.call_soon(caller.payload.feed_eof)
    await upload.gather(soon())
    assert (upload.framing, upload.begin(), upload.is_sent) == (of_length(6), b"ABCDEF", True)
    assert (upload.size, upload.is_held) == (6, True)


@pytest.mark.parametrize("framing", [of_length(11), CHUNKED])
async def test_a_body_that_is_too_long_to_hold_is_not_restored(framing: Framing) -> None:
    upload = Caller(b"a" * 11, is_whole=True).upload(framing, bytes.upper)
    await upload.gather(soon())
    assert b"a" * 11 in upload.begin()

"""gateway/engine/upload.py: pieces of a long body that leave when they come."""

import asyncio
import os

import pytest

from gateway.core.message import ReplyHead
from gateway.engine.upload import Upload
from gateway.engine.upstream import UpstreamConnection
from gateway.errors import BodyTooLarge
from tests.engine.linked import ASK, linked, soon
from tests.engine.uploads import Caller, of_length
from tests.wire import OK


async def begin(
    caller: Caller, size: int, upstream: UpstreamConnection
) -> tuple[Upload, asyncio.Task[None]]:
    """Ask with a body of so many bytes, and wait for what is not here."""
    upload = caller.upload(of_length(size))
    upstream.ask("PUT", ASK + upload.begin())
    sending = asyncio.create_task(upload.stream(upstream))
    await asyncio.sleep(0)
    return upload, sending


async def test_a_piece_that_is_waited_for_is_sent_when_it_comes() -> None:
    async with linked() as (connection, peer):
        caller = Caller(b"ab")
        upload, sending = await begin(caller, 50, connection)
        # The first piece, which was here, is read and sent.
        assert await peer.read(len(ASK) + 2) == ASK + b"ab"
        assert [caller.give(piece) for piece in (b"c" * 8, b"d" * 10)] == [True, True]
        assert (upload.size, upload.is_held) == (20, False)
        assert await peer.read(18) == b"c" * 8 + b"d" * 10
        assert not sending.done()
        assert caller.give(b"e" * 30)
        caller.payload.feed_eof()
        await sending
        assert (upload.size, upload.is_read, upload.is_sent) == (50, True, True)
        assert await peer.read(30) == b"e" * 30


async def test_what_was_sent_when_it_came_can_begin_again() -> None:
    async with linked() as (first, stale), linked() as (second, peer):
        caller = Caller()
        upload, sending = await begin(caller, 10, first)
        assert caller.give(b"abcd")
        assert await stale.read(len(ASK) + 4) == ASK + b"abcd"
        sending.cancel()
        await asyncio.wait((sending,))
        assert not caller.give(b"efghij")
        caller.payload.feed_eof()
        second.ask("PUT", ASK + upload.begin())
        await upload.stream(second)
        assert await peer.read(len(ASK) + 10) == ASK + b"abcdefghij"


async def test_nothing_is_sent_once_it_is_to_stop_though_that_is_not_heard_yet() -> None:
    async with linked() as (first, stale), linked() as (second, peer):
        caller = Caller()
        upload, sending = await begin(caller, 14, first)
        assert caller.give(b"abcd")
        upload.stop()
        sending.cancel()
        # With it there would be more than may be held.
        assert not caller.give(b"efghijk")
        await asyncio.wait((sending,))
        assert (upload.is_held, upload.size) == (True, 4)
        second.ask("PUT", ASK + upload.begin())
        again = asyncio.create_task(upload.stream(second))
        await asyncio.sleep(0.01)
        assert caller.give(b"lmn")
        caller.payload.feed_eof()
        await again
        assert await peer.read(len(ASK) + 14) == ASK + b"abcdefghijklmn"
        first.abort()
        assert await stale.read_to_end() == ASK + b"abcd"


async def test_pieces_wait_while_upstream_takes_none_and_keep_their_order() -> None:
    async with linked() as (connection, peer):
        caller = Caller()
        _, sending = await begin(caller, 40, connection)
        assert caller.give(b"a" * 10)
        connection.pause_writing()
        assert [caller.give(piece) for piece in (b"b" * 10, b"c" * 10)] == [False, False]
        await asyncio.sleep(0.01)
        assert await peer.read(len(ASK) + 10) == ASK + b"a" * 10
        connection.resume_writing()
        assert await peer.read(20) == b"b" * 10 + b"c" * 10
        assert caller.give(b"d" * 10)
        caller.payload.feed_eof()
        await sending
        assert await peer.read(10) == b"d" * 10


async def test_a_piece_over_the_limit_is_not_sent() -> None:
    async with linked() as (connection, peer):
        caller = Caller()
        _, sending = await begin(caller, 99, connection)
        assert caller.give(b"a" * 100)
        assert not caller.give(b"b")
        with pytest.raises(BodyTooLarge, match="over 100 bytes"):
            await sending
        connection.abort()
        assert await peer.read_to_end() == ASK + b"a" * 100


async def test_a_piece_that_comes_after_a_cut_is_not_written() -> None:
    async with linked() as (connection, peer):
        caller = Caller()
        upload, sending = await begin(caller, 99, connection)
        await peer.read_head()
        await peer.send(OK)
        peer.reset()
        await asyncio.sleep(0)
        assert not caller.give(b"a" * 11)
        await sending
        assert not upload.is_sent
        assert (await connection.read_head(soon())).status == 200
        assert await connection.read_body(5) == b"ok"


async def test_a_reply_that_came_early_is_read_before_more_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with linked() as (connection, peer):
        caller = Caller()
        upload, sending = await begin(caller, 11, connection)
        await peer.read_head()
        # The kernel has it, and the event loop does not know.
        os.write(peer.writer.get_extra_info("socket").fileno(), OK)
        assert not caller.give(b"a" * 11)
        caller.payload.feed_eof()
        heads: list[ReplyHead | None] = []
        monkeypatch.setattr(connection, "write", lambda _: heads.append(connection._head))
        await sending
        # By then there is one.
        assert [head.status for head in heads if head is not None] == [200]
        assert upload.is_sent
        assert await connection.read_body(5) == b"ok"

"""gateway/engine/splice.py: how it ends, and what becomes of what has not left."""

import asyncio
import errno
import os
import random
import socket
import struct

import pytest

from gateway.engine import splice
from tests.engine.spliced import Way, spliced
from tests.eventually import PATIENCE_S, eventually

MIB = 1 << 20
# More than two socket buffers and a pipe take.
TOO_MUCH = 20 * MIB


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a splice wait for as long as a test may take."""
    monkeypatch.setattr(splice, "PATIENCE_S", PATIENCE_S)


@pytest.mark.parametrize("is_full", [False, True], ids=["the pipe empty", "the pipe full"])
async def test_what_has_not_left_is_put_back_by_a_stop(is_full: bool) -> None:
    sent = random.Random(3).randbytes(TOO_MUCH)
    async with spliced(len(sent)) as way:
        sending = asyncio.create_task(way.send(sent if is_full else sent[:MIB]))
        under_way = await way.until_spliced()
        await eventually(lambda: bool(under_way._held) is is_full)
        if not is_full:
            assert await way.receive(MIB) == sent[:MIB]
        way.road.is_open = False
        under_way.stop()
        under_way.stop()
        body = way.body
        assert bool(body.kept) is is_full
        assert way.road.counted + len(body.kept) == len(sent) - body.left
        # From here it is read, and comes after what was put back.
        if is_full:
            assert await way.receive(way.road.counted) == sent[: way.road.counted]
        else:
            await sending
            sending = asyncio.create_task(way.send(sent[MIB:]))
        await sending
        await eventually(lambda: not body.left)
        assert body.kept == sent[way.road.counted :]


async def test_what_may_no_longer_leave_is_left_to_who_reads() -> None:
    sent = random.Random(4).randbytes(4 * MIB)
    async with spliced(len(sent)) as way:
        await way.send(sent[:MIB])
        await way.until_spliced()
        way.road.is_open = False
        sending = asyncio.create_task(way.send(sent[MIB:]))
        await eventually(lambda: not way.body.left)
        await sending
        counted = way.road.counted
        assert await way.receive(counted) == sent[:counted]
        assert way.body.kept == sent[counted:]
        assert way.body.splice is not None
        assert way.body.splice.is_over


async def test_a_refusal_in_the_first_turn_is_told_when_nobody_is_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with spliced(4 * MIB) as way:
        assert way.body.inlet is not None
        way.body.inlet.pause_reading()
        await way.send(bytes(MIB))
        answers = [way.road.wire, None]
        monkeypatch.setattr(way.road, "outlet", lambda: answers.pop(0))
        way.body.begin()
        # The pipe holds bytes, and they are nobody's yet.
        assert (way.body.read, way.body.went_by) == ([], [])
        monkeypatch.undo()
        way.road.is_open = False
        await asyncio.sleep(0)
        assert len(way.body.kept) == way.body.read[0] > 0


async def end(way: Way, how: str) -> None:
    if how == "reset":
        linger = struct.pack("ii", 1, 0)
        way.sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    way.sender.close()


@pytest.mark.parametrize("how", ["end", "reset"])
async def test_an_early_end_is_met_by_who_reads(how: str) -> None:
    async with spliced(4 * MIB) as way:
        sending = asyncio.create_task(way.send(bytes(MIB)))
        await way.receive(MIB)
        await sending
        under_way = await way.until_spliced()
        await end(way, how)
        await asyncio.wait_for(way.body.ended.wait(), 10)
        assert under_way.is_over
        assert way.body.left == 3 * MIB
        assert way.body.is_broken is (how == "reset")


async def test_a_reset_behind_much_that_has_not_been_read_is_met_after_all_of_it() -> None:
    async with spliced(TOO_MUCH) as way:
        way.sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        reading = asyncio.create_task(way.receive(TOO_MUCH))
        await way.send(bytes(MIB))
        await way.until_spliced()
        # All in one turn: the event loop hears of both at once.
        while True:
            try:
                way.sender.send(bytes(MIB))
            except BlockingIOError:
                break
        way.sender.close()
        await asyncio.wait_for(way.body.ended.wait(), 10)
        assert way.body.is_broken
        assert way.road.counted == TOO_MUCH - way.body.left
        way.road.wire.close()
        assert len(await reading) == way.road.counted


async def test_an_urgent_byte_holds_up_nothing_and_is_no_part_of_the_body() -> None:
    sent = random.Random(6).randbytes(4 * MIB)
    async with spliced(len(sent)) as way:
        reading = asyncio.create_task(way.receive(len(sent)))
        await way.send(sent[:MIB])
        await way.until_spliced()
        way.sender.send(b"!", socket.MSG_OOB)
        await way.send(sent[MIB:])
        assert await reading == sent


async def test_what_fails_in_who_reads_costs_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    async with spliced(4 * MIB) as way:
        await way.send(bytes(MIB))
        await way.until_spliced()

        def fail(_: bytes) -> None:
            raise ValueError("a bug")

        monkeypatch.setattr(way.body, "data_received", fail)
        way.road.is_open = False
        sending = asyncio.create_task(way.send(bytes(MIB)))
        await asyncio.wait_for(way.body.ended.wait(), 10)
        sending.cancel()
    assert [str(context["exception"]) for context in told] == ["a bug"]


async def test_a_reader_that_is_gone_is_met_by_who_writes() -> None:
    async with spliced(TOO_MUCH) as way:
        sending = asyncio.create_task(way.send(bytes(TOO_MUCH)))
        await way.receive(MIB)
        way.reader.close()
        await eventually(way.road.wire.is_closing)
        await eventually(lambda: way.body.splice is None or way.body.splice.is_over)
        sending.cancel()


async def test_without_a_pipe_or_a_descriptor_bodies_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent = bytes(2 * MIB)

    def fail(_: int) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    for owner, name, value in ((splice, "pipes", NoPipes()), (os, "dup", fail)):
        async with spliced(len(sent)) as way:
            with monkeypatch.context() as patch:
                patch.setattr(owner, name, value)
                sending = asyncio.create_task(way.send(sent))
                assert await way.receive(len(sent)) == sent
                await sending
            assert way.road.counted == len(sent)


class NoPipes:
    """None is left."""

    def take(self) -> None:
        """Return none."""

"""gateway/engine/splice.py: what goes by, what is read, and what becomes of what cannot leave."""

import asyncio
import os
import random
import resource
import socket

import pytest

from gateway.engine import splice
from gateway.engine.pipes import PIPE_BYTES, Pipes
from gateway.engine.splice import LEAST_BYTES, PATIENCE_S, TAIL_BYTES, begin_splice
from gateway.engine.wire import NO_DESCRIPTOR
from tests.engine.spliced import opened, pipes_in_use, spliced
from tests.eventually import eventually

MIB = 1 << 20
# More than two socket buffers and a pipe take.
TOO_MUCH = 20 * MIB


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a splice wait for as long as a test may take."""
    monkeypatch.setattr(splice, "PATIENCE_S", 30.0)


@pytest.mark.usefixtures("patience")
async def test_all_but_the_beginning_and_the_end_goes_by() -> None:
    sent = random.Random(1).randbytes(3 * MIB)
    async with spliced(len(sent)) as way:
        sending = asyncio.create_task(way.send(sent))
        assert await way.receive(len(sent)) == sent
        await sending
        body = way.body
        assert (body.left, way.road.counted) == (0, len(sent))
        # No more was read than one read may bring, and then the end.
        assert sum(body.read[:-1]) <= PIPE_BYTES
        assert body.read[-1] == TAIL_BYTES
        assert sum(body.went_by) == len(sent) - sum(body.read)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_UNIX])
@pytest.mark.parametrize("seed", range(6))
async def test_bytes_arrive_in_order_whatever_the_sizes_and_the_pauses(
    seed: int, family: int
) -> None:
    chance = random.Random(seed)
    near = chance.choice((LEAST_BYTES, PIPE_BYTES, MIB, 5 * MIB))
    sent = chance.randbytes(near + chance.choice((-1, 0, 1, TAIL_BYTES, 100_000)))
    async with spliced(len(sent), family) as way:

        async def send() -> None:
            at = 0
            while at < len(sent):
                size = chance.choice((1, 1000, 65536, MIB))
                await way.send(sent[at : at + size])
                at += size
                if chance.random() < 0.1:
                    await asyncio.sleep(chance.choice((0, 0.001, 0.01)))

        sending = asyncio.create_task(send())
        got = b""
        while len(got) < len(sent):
            got += await way.receive(min(chance.choice((70_000, MIB)), len(sent) - len(got)))
            if chance.random() < 0.1:
                # The last one is longer than a splice waits for room.
                await asyncio.sleep(chance.choice((0, 0.01, 2 * PATIENCE_S)))
        assert got == sent
        await sending
        assert way.road.counted == len(sent)


async def test_who_takes_nothing_gets_the_rest_by_the_longer_way() -> None:
    before = pipes_in_use()
    sent = random.Random(2).randbytes(TOO_MUCH)
    async with spliced(len(sent)) as way:
        sending = asyncio.create_task(way.send(sent))
        # The pipe has been given back, with what was in it.
        await eventually(way.road.wire.get_write_buffer_size)
        await eventually(lambda: pipes_in_use() == before)
        assert way.body.went_by
        assert await way.receive(len(sent)) == sent
        await sending


async def test_no_descriptor_is_left_of_a_body() -> None:
    async def carry() -> None:
        async with spliced(TOO_MUCH) as way:
            sending = asyncio.create_task(way.send(bytes(MIB)))
            await way.receive(MIB // 2)
            await asyncio.sleep(2 * PATIENCE_S)
            sending.cancel()

    # What the event loop opens once.
    await carry()
    before = opened()
    for _ in range(5):
        await carry()
    await eventually(lambda: opened() <= before)


@pytest.mark.usefixtures("patience")
async def test_bodies_one_after_the_other_go_through_one_pipe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(splice, "pipes", Pipes())
    made: list[int] = []
    make = os.pipe2

    def count(flags: int) -> tuple[int, int]:
        made.append(flags)
        return make(flags)

    monkeypatch.setattr(os, "pipe2", count)
    for seed in range(3):
        sent = random.Random(seed).randbytes(3 * MIB)
        async with spliced(len(sent)) as way:
            sending = asyncio.create_task(way.send(sent))
            assert await way.receive(len(sent)) == sent
            await sending
            assert way.body.went_by
    assert len(made) == 1


@pytest.mark.usefixtures("patience")
async def test_a_pause_costs_no_time_of_the_processor() -> None:
    async with spliced(TOO_MUCH) as way:
        sending = asyncio.create_task(way.send(bytes(MIB)))
        assert len(await way.receive(MIB)) == MIB
        await sending
        await way.until_spliced()
        before = resource.getrusage(resource.RUSAGE_SELF)
        await asyncio.sleep(0.3)
        after = resource.getrusage(resource.RUSAGE_SELF)
        # Turning round and round would be hundreds of milliseconds.
        assert after.ru_utime - before.ru_utime < 0.15


async def test_who_sends_nothing_for_a_while_keeps_no_pipe() -> None:
    before = pipes_in_use()
    sent = random.Random(7).randbytes(4 * MIB)
    async with spliced(len(sent)) as way:
        for at in range(0, len(sent), MIB):
            await way.send(sent[at : at + MIB])
            assert await way.receive(MIB) == sent[at : at + MIB]
            await eventually(lambda: pipes_in_use() == before)
        assert len(way.body.went_by) >= 3


async def test_what_is_short_or_seen_or_encrypted_is_read() -> None:
    loop = asyncio.get_running_loop()
    async with spliced(LEAST_BYTES - 1) as way:
        assert begin_splice(loop, way.body, way.road) is None
        way.body.left = 4 * MIB
        assert begin_splice(loop, way.body, lambda _: True) is None
        assert begin_splice(loop, way.body, None) is None
        for wire in (way.body.inlet, way.road.wire):
            assert wire is not None
            number, wire.descriptor = wire.descriptor, NO_DESCRIPTOR
            assert begin_splice(loop, way.body, way.road) is None
            wire.descriptor = number
        under_way = begin_splice(loop, way.body, way.road)
        assert under_way is not None
        under_way.stop()


@pytest.mark.usefixtures("patience")
async def test_nothing_overtakes_what_has_been_written_and_has_not_left() -> None:
    async with spliced(4 * MIB) as way:
        written = bytes(TOO_MUCH)
        way.road.wire.write(written)
        assert begin_splice(asyncio.get_running_loop(), way.body, way.road) is None
        assert await way.receive(TOO_MUCH) == written
        way.road.wire.write(b"held until the turn ends")
        way.body.begin()
        await way.until_spliced()
        await way.send(bytes(100))
        assert await way.receive(124) == b"held until the turn ends" + bytes(100)


async def test_a_closing_connection_is_neither_read_nor_written() -> None:
    for which in ("inlet", "outlet"):
        async with spliced(4 * MIB) as way:
            wire = way.body.inlet if which == "inlet" else way.road.wire
            assert wire is not None
            wire.abort()
            assert begin_splice(asyncio.get_running_loop(), way.body, way.road) is None

"""gateway/engine/splice.py: a splice that is stopped while something of it is still to come."""

import asyncio
import os

import pytest

from gateway.engine import splice
from gateway.engine.pipes import pipes
from tests.engine.spliced import pipes_in_use, spliced
from tests.started import MIB

OTHER = b"of another body"


async def test_what_was_to_be_given_back_is_given_back_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = pipes_in_use()
    async with spliced(4 * MIB) as way:
        assert way.body.inlet is not None
        way.body.inlet.pause_reading()
        await way.send(bytes(MIB))
        # The road closes while bytes are in the pipe, and they are to be given back in a moment.
        outlets = [way.road.wire, None]
        monkeypatch.setattr(way.road, "outlet", lambda: outlets.pop(0))
        way.body.begin()
        assert way.body.splice is not None
        way.body.splice.stop()
        kept = len(way.body.kept)
        assert kept > 0
        assert pipes_in_use() == before
        way.body.inlet.pause_reading()
        # Another body has the same pipe by then.
        pipe = pipes.take()
        assert pipe is not None
        os.write(pipe.inlet, OTHER)
        await asyncio.sleep(0)
        assert os.read(pipe.outlet, 99) == OTHER
        assert (len(way.body.kept), way.body.read, pipes_in_use()) == (kept, [], before + 1)
        pipes.give_back(pipe, asyncio.get_running_loop(), is_empty=True)


async def test_a_turn_that_was_left_to_others_does_not_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = pipes_in_use()
    monkeypatch.setattr(splice, "_MOST_AT_ONCE", 1)
    async with spliced(20 * MIB) as way:
        assert way.body.inlet is not None
        way.body.inlet.pause_reading()
        sending = asyncio.create_task(way.send(bytes(20 * MIB)))
        await asyncio.sleep(0.05)
        way.body.begin()
        assert way.body.splice is not None
        assert not way.body.splice.is_over
        way.body.splice.stop()
        way.body.inlet.pause_reading()
        went = list(way.body.went_by)
        assert len(went) == 1
        for _ in range(3):
            await asyncio.sleep(0)
        assert (way.body.went_by, pipes_in_use()) == (went, before)
        sending.cancel()

"""gateway/engine/long_body.py: what is the body's, what comes after it, and what is held."""

import asyncio
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.engine.incoming import Gate
from gateway.engine.long_body import LongBody
from gateway.errors import RequestTimeout
from tests.engine.linked import soon
from tests.engine.uploads import PATIENCE_S, Paused, Times


def body_of(length: int, idle_s: float = PATIENCE_S) -> tuple[LongBody, Paused]:
    connection = Paused()
    gate = cast(Gate, Times(idle_s))
    return LongBody(connection, gate, length, asyncio.get_running_loop()), connection


async def read_all(body: LongBody) -> bytes:
    got = b""
    while piece := await body.read_body(body.payload, soon()):
        got += piece
    return got


@given(st.lists(st.binary(min_size=1, max_size=9), min_size=1), st.data())
def test_the_body_is_as_long_as_was_said_wherever_it_is_cut(
    parts: list[bytes], data: st.DataObject
) -> None:
    sent = b"".join(parts)
    length = data.draw(st.integers(1, len(sent)))
    refused_at = data.draw(st.integers(0, len(parts)))

    async def run() -> None:
        body, _ = body_of(length)
        got: list[bytes] = []

        def take(part: bytes) -> bool:
            takes = len(got) < refused_at
            if takes:
                got.append(part)
            return takes

        body.pass_on(take, lambda: None)
        rest = b""
        for part in parts:
            if rest or not body.left:
                rest += part
                continue
            _, after = body.receive(part)
            rest += after
        assert b"".join(got) + await read_all(body) == sent[:length]
        assert rest == sent[length:]

    asyncio.run(run())


async def test_who_refuses_a_part_gets_none_of_those_after_it() -> None:
    body, _ = body_of(9)
    took = [True, False, True]
    body.pass_on(lambda _: took.pop(0), lambda: None)
    assert [body.receive(part)[0] for part in (b"abc", b"def", b"ghi")] == [True, False, False]
    assert await read_all(body) == b"defghi"


async def test_a_full_buffer_holds_the_caller_up_until_it_is_read() -> None:
    body, connection = body_of(400_000)
    for _ in range(2):
        assert not connection.is_paused
        assert body.receive(b"x" * 100_000) == (False, b"")
    assert connection.is_paused
    assert len(await body.read_body(body.payload, soon())) == 200_000
    assert not connection.is_paused
    body.receive(b"x" * 200_000)
    # At its end there is nothing to hold up.
    assert not connection.is_paused


async def test_who_passes_on_hears_of_a_stall_and_so_does_who_reads_then() -> None:
    body, _ = body_of(9, 0.01)
    stalled = asyncio.Event()
    body.pass_on(lambda _: True, stalled.set)
    assert body.receive(b"abc") == (True, b"")
    await asyncio.wait_for(stalled.wait(), PATIENCE_S)
    with pytest.raises(RequestTimeout):
        await body.read_body(body.payload, soon())


async def test_who_is_held_back_hears_of_nothing() -> None:
    body, _ = body_of(9, 0.01)
    stalled = asyncio.Event()
    body.pass_on(lambda _: True, stalled.set)
    body.hold_back()
    assert body.receive(b"abc") == (False, b"")
    await asyncio.sleep(0.05)
    assert not stalled.is_set()

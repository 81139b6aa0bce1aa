"""gateway/engine/body_source.py: who gets the bytes of a body, in which order, and until when."""

import asyncio
from typing import cast

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.streams import StreamReader
from hypothesis import given
from hypothesis import strategies as st

from gateway.engine.body_source import BodySource
from gateway.engine.incoming import Gate
from gateway.errors import RequestTimeout
from tests.engine.linked import soon
from tests.engine.uploads import PATIENCE_S, Paused, Times


def source_of(body_idle_s: float = PATIENCE_S) -> tuple[BodySource, StreamReader]:
    loop = asyncio.get_running_loop()
    payload = StreamReader(cast(BaseProtocol, Paused()), 65536, loop=loop)
    return BodySource(cast(Gate, Times(body_idle_s)), loop), payload


def give(source: BodySource, payload: StreamReader, part: bytes) -> bool:
    """Let a part come; tell whether it was taken at once."""
    is_taken = source.is_taken(payload, part)
    if not is_taken:
        payload.feed_data(part)
    return is_taken


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=5), st.booleans()), max_size=12))
def test_bytes_are_read_and_taken_in_the_order_in_which_they_came(
    parts: list[tuple[bytes, bool]],
) -> None:
    async def run() -> None:
        source, payload = source_of()
        got: list[bytes] = []
        takes = True

        def take(part: bytes) -> bool:
            if takes:
                got.append(part)
            return takes

        async def read() -> None:
            while piece := await source.read_body(payload, soon(), take):
                got.append(piece)

        reading = asyncio.create_task(read())
        for part, takes in parts:  # noqa: B007 (read by `take`)
            if len(part) > 1:
                await asyncio.sleep(0)
            give(source, payload, part)
        payload.feed_eof()
        await reading
        assert b"".join(got) == b"".join(part for part, _ in parts)

    asyncio.run(run())


async def test_nobody_takes_what_is_not_waited_for_or_is_another_bodys() -> None:
    source, payload = source_of()
    _, other = source_of()
    taken: list[bytes] = []

    def take(part: bytes) -> bool:
        taken.append(part)
        return True

    assert not source.is_taken(payload, b"early")
    reading = asyncio.create_task(source.read_body(payload, soon(), take))
    await asyncio.sleep(0)
    assert not source.is_taken(other, b"another's")
    assert not source.is_taken(payload, b"")
    assert source.is_taken(payload, b"mine")
    payload.feed_data(b"read")
    assert await reading == b"read"
    assert not source.is_taken(payload, b"late")
    assert taken == [b"mine"]


async def test_what_does_not_come_in_time_is_told() -> None:
    source, payload = source_of(0.01)
    with pytest.raises(RequestTimeout):
        await source.read_body(payload, soon())
    source, payload = source_of()
    with pytest.raises(RequestTimeout):
        await source.read_body(payload, asyncio.get_running_loop().time() + 0.01)


async def test_what_is_taken_puts_the_time_off() -> None:
    source, payload = source_of()
    reading = asyncio.create_task(source.read_body(payload, float("inf"), lambda _: True))
    await asyncio.sleep(0)
    by = source._watch._deadline
    await asyncio.sleep(0.01)
    assert source.is_taken(payload, b"a")
    assert source._watch._deadline > by
    payload.feed_eof()
    assert await reading == b""


async def test_a_connection_that_is_gone_gives_what_is_here_and_no_more() -> None:
    source, payload = source_of()
    payload.feed_data(b"a")
    source.close()
    with pytest.raises(ConnectionResetError, match="the caller is gone"):
        await source.read_body(payload, soon())
    payload.feed_eof()
    assert await source.read_body(payload, soon()) == b"a"
    assert await source.read_body(payload, soon()) == b""

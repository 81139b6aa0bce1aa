"""Messages over a socket pair."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.app.channel import Channel
from tests.wire import PATIENCE_S


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[Channel, Channel]]:
    one, other = socket.socketpair()
    ends = await Channel.over(one), await Channel.over(other)
    yield ends
    for end in ends:
        await end.close()


async def test_messages_come_whole_and_in_order() -> None:
    async with pair() as (one, other):
        messages: list[dict[str, object]] = [
            {"order": "drain"},
            {"text": "x" * 1_000_000},
            {"numbers": [1, 2.5, None]},
        ]
        for message in messages:
            one.send(message)
        for message in messages:
            assert await asyncio.wait_for(other.receive(), PATIENCE_S) == message


async def test_the_end_of_one_side_is_told_to_the_other() -> None:
    async with pair() as (one, other):
        one.send({"last": "word"})
        await one.close()
        assert await other.receive() == {"last": "word"}
        assert await other.receive() is None
        await other.close()
        # To nobody.
        other.send({"order": "drain"})


async def test_half_a_message_is_none() -> None:
    one, other = socket.socketpair()
    end = await Channel.over(other)
    one.sendall((9).to_bytes(8, "big") + b'{"a":')
    one.close()
    assert await end.receive() is None
    await end.close()

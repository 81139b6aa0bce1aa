"""gateway/engine/body_intake.py: a body reaches its reader whole, in order, or as broken."""

import asyncio
from typing import cast

import pytest

from gateway.engine.fast_connection import PARTS_S
from gateway.engine.reception import MOST_PARSED_BYTES
from tests.wire import OK, PATH, answering, request, running, scripted


async def test_a_body_larger_than_every_buffer_goes_on_when_it_is_read() -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with scripted(answering(OK, seen=seen)) as upstream, running(upstream.origin) as gateway:
        body = bytes(range(256)) * 8192
        peer = await gateway.dial()
        await peer.send(request(f"POST {PATH} HTTP/1.1", body=body) + request())
        assert (await peer.read_answer())[0] == 200
        assert (await peer.read_answer())[0] == 200
        peer.close()
    assert seen[0][1] == body


@pytest.mark.parametrize("off", range(-3, 4))
async def test_a_long_body_ends_where_its_length_says(off: int) -> None:
    seen: list[tuple[bytes, bytes]] = []
    body = bytes(range(256)) * (MOST_PARSED_BYTES // 256 + 1)
    first = request(f"POST {PATH} HTTP/1.1", body=body)
    after = request(f"PUT {PATH} HTTP/1.1", "Expect: 100-continue", body=body[1:]) + request()
    async with scripted(answering(OK, seen=seen)) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        sent = first + after
        await peer.send(sent[: len(first) + off])
        await asyncio.sleep(0.01)
        await peer.send(sent[len(first) + off :])
        statuses = [(await peer.read_answer())[0] for _ in range(4)]
        peer.close()
    assert statuses == [200, 100, 200, 200]
    assert [taken for _, taken in seen] == [body, body[1:], b""]


@pytest.mark.parametrize("lane", ["true", "false"])
@pytest.mark.parametrize("size", [2_000, 100_000, 200_000])
async def test_a_long_body_behind_the_end_of_another_is_its_own(lane: str, size: int) -> None:
    """The reader of the first one has not heard of its end when the second one begins."""
    seen: list[tuple[bytes, bytes]] = []
    first, second = b"1" * size, b"2" * 2 * MOST_PARSED_BYTES
    one, two = (request(f"POST {PATH}/{n} HTTP/1.1", body=b) for n, b in ((1, first), (2, second)))
    sent = one + two
    for cut in (len(one) - size // 2, len(one) - 1):
        seen.clear()
        async with (
            scripted(answering(OK, seen=seen)) as upstream,
            running(upstream.origin, f"engine.fast_lane={lane}") as gateway,
        ):
            peer = await gateway.dial()
            await peer.send(sent[:cut])
            # The fast lane gives up waiting for the rest of a short one.
            await asyncio.sleep(2 * PARTS_S)
            (server,) = gateway.gateway.servers
            # In one read, as the kernel may give it.
            (connection,) = server._all()
            cast(asyncio.Protocol, connection).data_received(sent[cut : len(one) + 5000])
            await peer.send(sent[len(one) + 5000 :])
            statuses = [(await peer.read_answer())[0] for _ in range(2)]
            peer.close()
        assert statuses == [200, 200]
        assert [body for _, body in seen] == [first, second]


async def test_a_long_body_that_is_cut_never_looks_whole() -> None:
    seen: list[tuple[bytes, bytes]] = []
    body = b"x" * 2 * MOST_PARSED_BYTES
    async with scripted(answering(OK, seen=seen)) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(request(f"POST {PATH} HTTP/1.1", body=body)[:-1])
        await asyncio.sleep(0.05)
        peer.close()
        record = await gateway.recorder.wait_for(1)
        assert (record.status, record.bytes_in) == (499, len(body) - 1)
    assert not seen

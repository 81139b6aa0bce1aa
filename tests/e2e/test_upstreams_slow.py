"""Upstreams that take their time: what is bounded as a whole, and what only between two steps.

A head has the request's deadline, however it drips. A body may take as long as it likes
while it comes. An upload that is not taken ends with the deadline and is held back meanwhile.
"""

import asyncio

import pytest

from tests.e2e.test_callers_times import drip
from tests.wire import OK, PATH, Peer, Script, request, running, scripted, values

SHORT = "timeouts.first_byte_s=0.3"
# Many times what both kernels and the gateway hold of it.
SIZE = 50_000_000


def dripping(data: bytes) -> Script:
    """Return a script that answers with the same bytes again and again, one by one."""

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await drip(peer, data, every_s=0.005)

    return script


@pytest.mark.parametrize(
    "begun",
    [
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 10_000,
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 990,
        b"HTTP/1.1 102 Processing\r\n\r\n" * 1000,
    ],
    ids=["a value", "fields", "interim replies"],
)
async def test_a_dripping_head_is_bounded_as_a_whole(begun: bytes) -> None:
    async with scripted(dripping(begun)) as upstream, running(upstream.origin, SHORT) as gateway:
        status, head, _ = await gateway.ask(request())
        assert (status, values(head, b"x-gateway-error")) == (504, [b"upstream-timeout"])
        assert gateway.gateway.idle_upstream_connections() == 0


@pytest.mark.parametrize("framing", [f"Content-Length: {SIZE}", "Transfer-Encoding: chunked"])
async def test_an_upload_that_is_not_taken_is_held_back_and_ends_with_the_deadline(
    framing: str,
) -> None:
    async def script(peer: Peer) -> None:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's own
        await asyncio.Event().wait()

    async with scripted(script) as upstream, running(upstream.origin, SHORT) as gateway:
        peer = await gateway.dial()
        await peer.send(request(f"PUT {PATH} HTTP/1.1", framing))
        chunked = b"%x\r\n" % SIZE if framing.startswith("T") else b""
        sending = asyncio.create_task(peer.send(chunked + b"x" * SIZE))
        status, head, _ = await peer.read_answer()
        assert (status, values(head, b"x-gateway-error")) == (504, [b"upstream-timeout"])
        assert values(head, b"connection") == [b"close"]
        record = await gateway.recorder.wait_for(1)
        assert record.bytes_in < SIZE / 2
        peer.close()
        await asyncio.gather(sending, return_exceptions=True)


async def test_a_body_that_drips_is_waited_for_as_long_as_it_comes() -> None:
    body = bytes(range(30))

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
        for at in range(len(body)):
            # All of them together take longer than one may.
            await asyncio.wait((asyncio.create_task(asyncio.sleep(0.05)),))
            await peer.send(body[at : at + 1])
        await peer.read_request()
        await peer.send(OK)

    async with (
        scripted(script) as upstream,
        running(upstream.origin, "timeouts.idle_s=1") as (gateway),
    ):
        assert (await gateway.ask(request()))[2] == body
        assert (await gateway.ask(request()))[2] == b"ok"
        assert upstream.connections == 1

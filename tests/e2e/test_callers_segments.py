"""The same bytes have the same effect, however the network cut them into segments."""

import asyncio
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire import (
    OK,
    PATH,
    PATIENCE_S,
    Peer,
    Running,
    answering,
    request,
    running,
    scripted,
    values,
)

CHUNKED = b"5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n"
POST = f"POST {PATH} HTTP/1.1"
SENT = {
    "get": request(),
    "three agents": request(
        f"GET {PATH} HTTP/1.1", "User-Agent: a", "user-agent:b", "User-Agent_: c", "USER-AGENT: d"
    ),
    "unknown method": request("BREW / HTTP/1.1"),
    "lower case": request("get / HTTP/1.1"),
    "length": request(POST, body=b"hello\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
    "chunked": request(POST, "Transfer-Encoding: chunked", body=CHUNKED),
    "broken chunk": request(POST, "Transfer-Encoding: chunked", body=b"5\r\nhelloX\r\n"),
    "bare LF": b"GET / HTTP/1.1\nHost: localhost\r\n\r\n",
    "two spaces": b"GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "empty lines": b"\r\n\r\n" + request(),
    "pipelined": request(POST, body=b"one") + request() + b"\r\n" + request("FOO / HTTP/1.1"),
    "both framings": request(POST, "Content-Length: 3", "Transfer-Encoding: chunked", body=b"0"),
    "target too long": request(f"GET /{'a' * 70} HTTP/1.1"),
    "head too large": request(f"GET {PATH} HTTP/1.1", "A: " + "b" * 600),
    "field too large, target too long": request(f"GET /{'a' * 70} HTTP/1.1", "A: " + "b" * 600),
    "declared too much": request(POST, "Content-Length: 101"),
    "expecting": request(POST, "Expect: 100-continue", body=b"hello"),
    "upgrade": request(f"GET {PATH} HTTP/1.1", "Upgrade: h2c", "Connection: upgrade") + request(),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}
LIMITS = (
    *("limits.max_target_bytes=64", "limits.max_head_bytes=512"),
    *("limits.max_body_bytes=100", "limits.replay_body_bytes=20"),
)
# Ends what is not ended by the request itself.
LAST = request("GET /nowhere HTTP/1.1", "Connection: close")


def essence(answers: bytes) -> list[tuple[bytes, bytes]]:
    """Return the status line and the body of each answer, without what is new every time."""
    found: list[tuple[bytes, bytes]] = []
    while answers:
        head, _, answers = answers.partition(b"\r\n\r\n")
        line = head.partition(b"\r\n")[0]
        (size,) = values(head + b"\r\n\r\n", b"content-length") or [b"0"]
        found.append((line, answers[: int(size)]))
        answers = answers[int(size) :]
    return found


async def transport_of(gateway: Running, peer: Peer) -> asyncio.Transport:
    """Return the gateway's end of a connection, once it is there."""
    name = peer.writer.get_extra_info("sockname")
    (server,) = gateway.gateway.servers
    async with asyncio.timeout(PATIENCE_S):
        while True:
            for connection in server._all():
                wire = cast(Any, connection).transport
                if wire is not None and wire.get_extra_info("peername") == name:
                    return cast(asyncio.Transport, wire._transport)
            await asyncio.sleep(0)


async def play(gateway: Running, pieces: list[bytes]) -> list[tuple[bytes, bytes]]:
    """Return what is answered to pieces that arrive one by one, as the event loop hands them."""
    peer = await gateway.dial()
    transport = await transport_of(gateway, peer)
    for piece in pieces:
        cast(asyncio.Protocol, transport.get_protocol()).data_received(piece)
        await asyncio.sleep(0)
    answers = await peer.read_to_end()
    peer.close()
    return [one for one in essence(answers) if b" 100 " not in one[0]]


@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
async def test_a_cut_at_any_byte_changes_nothing(sent: bytes) -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with (
        scripted(answering(OK, seen=seen)) as upstream,
        running(upstream.origin, *LIMITS) as gateway,
    ):
        whole = await play(gateway, [sent + LAST])
        received, seen[:] = list(seen), []
        assert whole
        for cut in range(1, len(sent)):
            assert await play(gateway, [sent[:cut], sent[cut:] + LAST]) == whole, sent[:cut]
            assert seen == received
            seen.clear()
        single = [sent[at : at + 1] for at in range(len(sent))]
        assert await play(gateway, [*single, LAST]) == whole
        assert seen == received


@pytest.mark.parametrize("count", [2, 32, 33, 100])
async def test_pipelined_requests_are_answered_in_order(count: int) -> None:
    async def script(peer: Peer) -> None:
        while True:
            head, body = await peer.read_request()
            told = head.split()[1].rpartition(b"/")[2] + b":" + body
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(told) + told)

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(
            b"".join(
                request(f"POST {PATH}/{number} HTTP/1.1", body=b"b" * number)
                if number % 2
                else request(f"GET {PATH}/{number} HTTP/1.1")
                for number in range(count)
            )
        )
        for number in range(count):
            _, _, body = await peer.read_answer()
            assert body == b"%d:" % number + b"b" * number * (number % 2)
        peer.close()
        assert upstream.connections == 1


async def test_large_bodies_may_be_pipelined() -> None:
    sizes = (300_000, 5, 1_000_000, 0, 200_000)

    async def script(peer: Peer) -> None:
        while True:
            _, body = await peer.read_request()
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n%8d" % len(body))

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        sending = asyncio.create_task(
            peer.send(b"".join(request(POST, body=b"x" * size) for size in sizes) + request())
        )
        for size in (*sizes, 0):
            assert int((await peer.read_answer())[2]) == size
        await sending
        peer.close()


@given(st.data())
def test_any_cuts_change_nothing(data: st.DataObject) -> None:
    sent = data.draw(st.sampled_from([SENT["chunked"], SENT["pipelined"], SENT["expecting"]]))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(sent) - 1), max_size=6)))
    pieces = [sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]

    async def once() -> None:
        async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
            assert await play(gateway, [*pieces, LAST]) == await play(gateway, [sent + LAST])

    asyncio.run(once())

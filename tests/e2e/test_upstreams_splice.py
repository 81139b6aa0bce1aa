"""Long bodies that pass inside the kernel: whole, or honestly cut, and nothing of them stays."""

import asyncio
import os
import random
from collections.abc import AsyncIterator

import pytest

from gateway.engine.pipes import MOST_PIPES
from tests.engine.spliced import pipes_in_use
from tests.eventually import eventually
from tests.wire import OK, PATH, PATIENCE_S, Peer, answering, request, running, scripted

MIB = 1 << 20
SIZE = 8 * MIB
BODY = random.Random(5).randbytes(SIZE)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
PUT = request(f"PUT {PATH} HTTP/1.1", f"Content-Length: {SIZE}")


@pytest.fixture(autouse=True)
async def in_use() -> AsyncIterator[int]:
    """Tell how many pipes other tests have left, and fail one whose body has kept its own."""
    before = pipes_in_use()
    yield before
    await eventually(lambda: pipes_in_use() == before)


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Tell how many bytes went into pipes and out of them, piece by piece."""
    sizes: list[int] = []
    splice = os.splice

    def counted(source: int, sink: int, size: int, *, flags: int) -> int:
        got = splice(source, sink, size, flags=flags)
        sizes.append(got)
        return got

    monkeypatch.setattr(os, "splice", counted)
    return sizes


async def download(peer: Peer, body: bytes) -> None:
    await peer.send(request())
    status, _, got = await peer.read_answer()
    assert status == 200
    assert got == body


async def test_a_download_goes_by_and_so_do_those_after_it(moved: list[int]) -> None:
    replies = [HEAD % SIZE + BODY, HEAD % 3 + b"abc", HEAD % MIB + BODY[:MIB]]
    async with scripted(answering(*replies)) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        for body in (BODY, b"abc", BODY[:MIB]):
            await download(peer, body)
        assert upstream.connections == 1
        assert sum(moved) > SIZE
        sizes = [(await gateway.recorder.wait_for(n + 1)).bytes_out for n in range(3)]
        assert sizes == [SIZE, 3, MIB]


async def test_an_upload_goes_by_and_so_do_those_after_it(moved: list[int]) -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with (
        scripted(answering(OK, seen=seen)) as upstream,
        running(upstream.origin) as gateway,
    ):
        peer = await gateway.dial()
        # The next request comes with the end of the body before it.
        sending = asyncio.create_task(peer.send(PUT + BODY + request() + PUT + BODY))
        for _ in range(3):
            assert (await peer.read_answer())[0] == 200
        await sending
        assert [body for _, body in seen] == [BODY, b"", BODY]
        assert upstream.connections == 1
        assert sum(moved) > SIZE
        sizes = [(await gateway.recorder.wait_for(n + 1)).bytes_in for n in range(3)]
        assert sizes == [SIZE, 0, SIZE]


@pytest.mark.parametrize("how", ["close", "reset", "wait"])
async def test_a_download_that_is_cut_while_it_goes_by_cuts_the_caller(
    how: str, moved: list[int], in_use: int
) -> None:
    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(HEAD % SIZE + BODY[:MIB])
        await asyncio.sleep(0.05)
        await peer.send(BODY[MIB : 3 * MIB])
        await asyncio.sleep(0.05)
        if how == "reset":
            peer.reset()
        elif how == "wait":
            await peer.read_to_end()

    async with (
        scripted(script) as upstream,
        running(upstream.origin, "timeouts.idle_s=0.3") as gateway,
    ):
        peer = await gateway.dial()
        await peer.send(request())
        await peer.read_head()
        got = await peer.read(3 * MIB)
        assert await peer.is_cut()
        assert got == BODY[: 3 * MIB]
        record = await gateway.recorder.wait_for(1)
        reasons = {
            "close": "before the body was complete",
            "reset": "broke the connection",
            "wait": "sent nothing of its body for 0.3 s",
        }
        assert reasons[how] in record.cut
        assert record.bytes_out == 3 * MIB
        assert pipes_in_use() == in_use
        assert sum(moved) > MIB
        assert gateway.gateway.idle_upstream_connections() == 0


async def send_slowly(peer: Peer, data: bytes) -> None:
    """Send in pieces; together they take longer than a silence may be."""
    for at in range(0, len(data), MIB):
        await peer.send(data[at : at + MIB])
        await asyncio.sleep(0.12)


async def test_what_goes_by_puts_the_time_off_in_which_something_must_come() -> None:
    seen: list[bytes] = []

    async def script(peer: Peer) -> None:
        _, body = await peer.read_request()
        seen.append(body)
        await peer.send(HEAD % SIZE)
        await send_slowly(peer, BODY)

    async with (
        scripted(script) as upstream,
        running(upstream.origin, "timeouts.idle_s=0.4", "timeouts.body_idle_s=0.4") as gateway,
    ):
        peer = await gateway.dial()
        await peer.send(PUT)
        await send_slowly(peer, BODY)
        assert (await peer.read_answer())[2] == BODY
        assert seen == [BODY]


@pytest.mark.parametrize("how", ["close", "reset", "wait"])
async def test_an_upload_that_is_cut_while_it_goes_by_never_looks_whole(
    how: str, moved: list[int], in_use: int
) -> None:
    got: list[bytes] = []
    is_over = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        got.append(await peer.read(3 * MIB))
        got.append(await peer.read_to_end())
        is_over.set()

    async with (
        scripted(script) as upstream,
        running(upstream.origin, "timeouts.body_idle_s=0.3") as gateway,
    ):
        peer = await gateway.dial()
        await peer.send(PUT + BODY[: 3 * MIB])
        await asyncio.sleep(0.1)
        if how == "wait":
            assert (await peer.read_answer())[0] == 408
        elif how == "reset":
            peer.reset()
        else:
            peer.close()
        record = await gateway.recorder.wait_for(1)
        assert record.status == (408 if how == "wait" else 499)
        assert sum(moved) > MIB
        assert record.bytes_in == 3 * MIB
        assert pipes_in_use() == in_use
        await asyncio.wait_for(is_over.wait(), PATIENCE_S)
        assert b"".join(got) == BODY[: 3 * MIB]
        peer.close()


async def test_a_caller_that_stops_reading_is_cut_in_time(moved: list[int]) -> None:
    size = 64 * MIB

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(HEAD % size)
        for _ in range(64):
            await peer.send(BODY[:MIB])

    async with (
        scripted(script) as upstream,
        running(upstream.origin, "timeouts.client_write_s=0.5") as gateway,
    ):
        peer = await gateway.dial()
        await peer.send(request())
        await peer.read_head()
        await peer.read(MIB)
        record = await asyncio.wait_for(gateway.recorder.wait_for(1), PATIENCE_S)
        assert record.status == 499
        assert await peer.is_cut()
        assert record.bytes_out < size


@pytest.mark.parametrize("keeps", [True, False], ids=["kept", "closed"])
async def test_an_early_answer_to_an_upload_that_goes_by_is_the_callers(
    keeps: bool, moved: list[int]
) -> None:
    answer = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nmuch"

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.read(2 * MIB)
        await peer.send(answer)
        if keeps:
            await peer.read_to_end()

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        for turn in range(3):
            peer = await gateway.dial()
            await peer.send(PUT + BODY[:MIB])
            await asyncio.sleep(0.02)
            sending = asyncio.create_task(peer.send(BODY[MIB:]))
            status, _, body = await peer.read_answer()
            assert (status, body) == (413, b"much")
            await asyncio.wait((sending,))
            sending.exception()
            peer.close()
            assert (await gateway.recorder.wait_for(turn + 1)).status == 413
        assert gateway.gateway.idle_upstream_connections() == 0
        assert sum(moved) > MIB


async def test_what_may_be_sent_again_is_held_and_does_not_go_by(moved: list[int]) -> None:
    seen: list[tuple[bytes, bytes]] = []
    busy = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
    async with (
        scripted(answering(busy, OK, seen=seen)) as upstream,
        running(upstream.origin, "limits.replay_body_bytes=16000000") as gateway,
    ):
        assert (await gateway.ask(PUT + BODY))[0] == 200
        assert [body for _, body in seen] == [BODY, BODY]
        assert not moved


async def test_a_body_that_is_parsed_does_not_go_by(moved: list[int]) -> None:
    seen: list[tuple[bytes, bytes]] = []
    put = request(
        f"PUT {PATH} HTTP/1.1", f"Content-Length: {SIZE}", "Connection: Upgrade", "Upgrade: h2c"
    )
    async with (
        scripted(answering(OK, seen=seen)) as upstream,
        running(upstream.origin) as gateway,
    ):
        # What follows may be of the other protocol.
        assert (await gateway.ask(put + BODY))[0] == 200
        assert [body for _, body in seen] == [BODY]
        assert not moved


async def test_links_in_a_long_answer_are_seen() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_request()
        body = b'{"uri":"%s/restapi/v1.0/x","pad":"%s"}' % (
            upstream.origin.encode(),
            b"x" * (2 * MIB),
        )
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        await peer.send(head % len(body) + body)
        await peer.read_to_end()

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        status, _, got = await gateway.ask(request())
        assert status == 200
        assert upstream.origin.encode() not in got
        assert b"http://localhost/restapi/v1.0/x" in got


async def test_more_at_once_than_there_are_pipes_are_all_whole(moved: list[int]) -> None:
    bodies = [BODY[n * 1000 : n * 1000 + 2 * MIB] for n in range(MOST_PIPES + 8)]

    async def script(peer: Peer) -> None:
        while True:
            head, _ = await peer.read_request()
            number = int(head.split(b"number=")[1].split(b" ")[0])
            await peer.send(HEAD % (2 * MIB))
            for at in range(0, 2 * MIB, 300_000):
                await peer.send(bodies[number][at : min(at + 300_000, 2 * MIB)])
                await asyncio.sleep(0.01)

    async with scripted(script) as upstream, running(upstream.origin) as gateway:

        async def fetch(number: int) -> bytes:
            return (await gateway.ask(request(f"GET {PATH}?number={number} HTTP/1.1")))[2]

        got = await asyncio.gather(*map(fetch, range(len(bodies))))
        assert got == bodies
        assert sum(moved) > 2 * MIB

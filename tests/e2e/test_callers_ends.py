"""Expectations, bodies that break, callers that leave."""

import asyncio

import pytest

from tests.wire import (
    OK,
    PATH,
    PATIENCE_S,
    Peer,
    answering,
    request,
    running,
    scripted,
    values,
)

POST = f"POST {PATH} HTTP/1.1"
CHUNKED = "Transfer-Encoding: chunked"
EXPECT = "Expect: 100-continue"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
UPGRADE = ("Connection: upgrade", "Upgrade: websocket")
GET10 = f"GET {PATH} HTTP/1.0"
STREAMED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"


class Script:
    """An upstream that tells what it got; it answers with `answer`, and never when b""."""

    def __init__(self, answer: bytes = b"") -> None:
        self.answer = answer
        self.heads: asyncio.Queue[bytes] = asyncio.Queue()
        self.rests: asyncio.Queue[bytes] = asyncio.Queue()

    async def __call__(self, peer: Peer) -> None:
        self.heads.put_nowait(await peer.read_head())
        await peer.send(self.answer)
        self.rests.put_nowait(await peer.read_to_end())

    async def head(self) -> bytes:
        return await asyncio.wait_for(self.heads.get(), PATIENCE_S)

    async def rest(self) -> bytes:
        """Return what came after the head, once the gateway has ended the connection."""
        return await asyncio.wait_for(self.rests.get(), PATIENCE_S)


# Expect.


async def test_continue_is_said_once_and_after_acceptance() -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with (
        scripted(answering(OK, seen=seen)) as upstream,
        running(upstream.origin) as gateway,
    ):
        peer = await gateway.dial()
        await peer.send(request(POST, EXPECT, "Content-Length: 5"))
        assert await peer.read_head() == CONTINUE
        await peer.send(b"hello")
        assert (await peer.read_answer())[0] == 200
        await peer.send(request())
        assert (await peer.read_answer())[0] == 200
        peer.close()
    assert seen[0][1] == b"hello"
    assert values(seen[0][0], b"expect") == []


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("POST /nowhere HTTP/1.1", 404),
        ("POST /restapi/oauth/token HTTP/1.1", 403),
        (f"BREW {PATH} HTTP/1.1", 405),
    ],
)
async def test_a_refused_request_is_not_told_to_continue(line: str, status: int) -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(request(line, EXPECT, "Content-Length: 5"))
        answer = await peer.read_to_end()
        assert answer.startswith(b"HTTP/1.1 %d " % status)
        assert b"\r\nConnection: close\r\n" in answer
        peer.close()
        assert upstream.connections == 0


async def test_http_1_0_is_never_told_to_continue() -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        answer = await gateway.ask(request(f"POST {PATH} HTTP/1.0", EXPECT, body=b"hello"))
        assert answer[0] == 200


# Bodies that break.


async def test_a_broken_chunk_behind_a_forwarded_beginning_cuts_upstream() -> None:
    script = Script()
    sets = ("limits.replay_body_bytes=10",)
    async with scripted(script) as upstream, running(upstream.origin, *sets) as gateway:
        peer = await gateway.dial()
        await peer.send(request(POST, CHUNKED) + b"14\r\n" + b"x" * 20 + b"\r\n")
        await script.head()
        await peer.send(b"zzz\r\n" + request())
        status, head, body = await peer.read_answer()
        assert (status, values(head, b"connection")) == (400, [b"close"])
        assert b"the body is not chunked" in body
        assert await peer.read_to_end() == b""
        peer.close()
        assert await script.rest() == b"14\r\n" + b"x" * 20 + b"\r\n"
        assert gateway.gateway.idle_upstream_connections() == 0


@pytest.mark.parametrize(
    "begun",
    [
        request(POST, "Content-Length: 100000") + b"x" * 99999,
        request(POST, CHUNKED) + b"186a0\r\n" + b"x" * 100_000 + b"\r\n",
        request(POST, CHUNKED) + b"186a0\r\n" + b"x" * 100_000 + b"\r\n0\r\n",
    ],
    ids=["length", "chunked", "last chunk without its end"],
)
@pytest.mark.parametrize("how", ["end", "reset"])
async def test_a_body_cut_short_never_becomes_a_whole_request(begun: bytes, how: str) -> None:
    script = Script()
    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(begun)
        head = await script.head()
        (peer.close if how == "end" else peer.reset)()
        rest = await script.rest()
        assert not rest.endswith(b"0\r\n\r\n")
        for size in values(head, b"content-length"):
            assert len(rest) < int(size)
        assert (await gateway.recorder.wait_for(1)).status == 499
        assert gateway.gateway.idle_upstream_connections() == 0
        peer.close()


# Callers that leave.


@pytest.mark.parametrize("how", ["end", "reset"])
@pytest.mark.parametrize("answer", [b"", STREAMED], ids=["waiting", "streaming"])
@pytest.mark.parametrize("fields", [(), UPGRADE], ids=["plain", "declined upgrade"])
async def test_a_caller_that_leaves_ends_the_upstream_request(
    fields: tuple[str, ...], answer: bytes, how: str
) -> None:
    script = Script(answer)
    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(request(f"GET {PATH} HTTP/1.1", *fields))
        await script.head()
        if answer:
            assert await peer.read_head()
        (peer.close if how == "end" else peer.reset)()
        assert await script.rest() == b""
        record = await gateway.recorder.wait_for(1)
        assert (record.status, record.upstream_status) == (499, 200 if answer else 0)
        assert (record.bug, record.code, record.cut) == (None, "", "")
        assert gateway.gateway.idle_upstream_connections() == 0
        peer.close()


async def test_a_cut_answer_without_a_length_ends_in_a_reset_for_http_1_0() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(STREAMED)

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(request(GET10))
        head = await peer.read_head()
        assert values(head, b"connection") == [b"close"]
        assert values(head, b"transfer-encoding") == []
        assert await peer.is_cut()
        peer.close()
        assert (await gateway.recorder.wait_for(1)).cut

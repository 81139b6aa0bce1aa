"""What comes back: every framing of a reply, as each kind of caller gets it."""

import asyncio

import pytest

from tests.wire import (
    OK,
    PATH,
    Peer,
    Script,
    answering,
    request,
    running,
    scripted,
    values,
)

GET_1_0 = f"GET {PATH} HTTP/1.0"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n"
    b'5;a=b\r\nhello\r\n1\r\n \r\n5;q="x"\r\nworld\r\n0;last\r\nX-T: 1\r\n\r\n'
)
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\nhello world"


def saying(answer: bytes) -> Script:
    """Return a script that answers one request and closes."""

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(answer)

    return script


def unchunk(raw: bytes) -> bytes:
    assert raw.endswith(b"0\r\n\r\n")
    body = b""
    while raw != b"0\r\n\r\n":
        size, _, raw = raw.partition(b"\r\n")
        body, raw = body + raw[: int(size, 16)], raw[int(size, 16) + 2 :]
    return body


async def test_a_chunked_reply_loses_its_extensions_and_trailers() -> None:
    async with scripted(answering(CHUNKED)) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        for _ in range(3):
            await peer.send(request())
            _, head, raw = await peer.read_answer()
            assert unchunk(raw) == b"hello world"
            assert values(head, b"transfer-encoding") == [b"chunked"]
            assert not values(head, b"trailer")
            assert b"X-T" not in raw
            assert b";" not in raw
        peer.close()
        assert gateway.records[0].bytes_out == 11
    assert upstream.connections == 1


async def test_a_chunked_reply_ends_with_the_connection_for_http_1_0() -> None:
    async with scripted(answering(CHUNKED)) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(request(GET_1_0, "Connection: keep-alive"))
        head = await peer.read_head()
        assert values(head, b"connection") == [b"close"]
        assert not values(head, b"transfer-encoding")
        assert await peer.read_to_end() == b"hello world"
        peer.close()


async def test_a_length_lets_an_http_1_0_connection_stay() -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        for _ in range(2):
            await peer.send(request(GET_1_0, "Connection: keep-alive"))
            _, head, body = await peer.read_answer()
            assert values(head, b"connection") == [b"keep-alive"]
            assert body == b"ok"
        peer.close()


@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])
async def test_a_reply_that_ends_at_the_close_leaves_chunked(version: bytes) -> None:
    answer = UNTIL_CLOSE.replace(b"HTTP/1.1", version)
    async with scripted(saying(answer)) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        for _ in range(2):
            await peer.send(request())
            _, head, raw = await peer.read_answer()
            assert values(head, b"transfer-encoding") == [b"chunked"]
            assert unchunk(raw) == b"hello world"
        peer.close()
        _, head, body = await gateway.ask(request(GET_1_0))
        assert body == b"hello world"
        assert not values(head, b"content-length")
        assert [record.cut for record in gateway.records] == ["", "", ""]
    assert upstream.connections == 3


CHUNKED_205 = ("205 Reset Content", "Transfer-Encoding: chunked")
BODILESS = [
    ("HEAD", "200 OK", "Content-Length: 5", [b"5"]),
    ("HEAD", "200 OK", "Transfer-Encoding: chunked", []),
    ("HEAD", "205 Reset Content", "Content-Length: 5", [b"0"]),
    ("GET", "204 No Content", "Content-Length: 5", []),
    ("GET", "204 No Content", "Transfer-Encoding: chunked", []),
    ("GET", "204 No Content", "", []),
    ("GET", "304 Not Modified", "Content-Length: 5", [b"5"]),
    ("GET", "304 Not Modified", "Transfer-Encoding: chunked", []),
    ("GET", "205 Reset Content", "Content-Length: 5", [b"0"]),
    ("GET", *CHUNKED_205, [b"0"]),
    ("GET", "205 Reset Content", "Content-Length: 0", [b"0"]),
]


@pytest.mark.parametrize(("verb", "status", "framing", "declared"), BODILESS)
@pytest.mark.parametrize("body", [b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n", OK], ids=len)
async def test_what_has_no_body_gets_none_and_poisons_nobody(
    verb: str, status: str, framing: str, declared: list[bytes], body: bytes
) -> None:
    head = f"HTTP/1.1 {status}\r\n{framing}\r\n".encode() + (b"\r\n" if framing else b"")
    turns = 0

    async def script(peer: Peer) -> None:
        nonlocal turns
        while True:
            await peer.read_request()
            turns += 1
            await peer.send(head + body if turns == 1 else OK)

    # Where links are rewritten, a length that is declared may be that of other bytes.
    off = "links.rewrite=off"
    async with scripted(script) as upstream, running(upstream.origin, off) as gateway:
        peer = await gateway.dial()
        await peer.send(request(f"{verb} {PATH} HTTP/1.1"))
        # The chunks of a 205 are dropped, but these are none.
        if (verb, status, framing, body) == ("GET", *CHUNKED_205, OK):
            assert (await peer.read_answer())[0] == 502
        else:
            answer = await peer.read_head()
            assert answer.startswith(f"HTTP/1.1 {status}\r\n".encode())
            assert values(answer, b"content-length") == declared
            assert not values(answer, b"transfer-encoding")
        for _ in range(2):
            await peer.send(request())
            assert (await peer.read_answer())[2] == b"ok"
        peer.close()
        assert [record.status for record in gateway.records[1:]] == [200] * 2


@pytest.mark.parametrize(
    "interim",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\nX: 1\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 199 \r\n\r\n" * 500,
    ],
    ids=["100", "102", "103", "many"],
)
async def test_interim_replies_are_dropped(interim: bytes) -> None:
    async with (
        scripted(answering(interim + OK, interim + interim + OK)) as upstream,
        running(upstream.origin) as gateway,
    ):
        peer = await gateway.dial()
        for _ in range(2):
            await peer.send(request(f"PUT {PATH} HTTP/1.1", body=b"x"))
            status, _, body = await peer.read_answer()
            assert (status, body) == (200, b"ok")
        peer.close()
    assert upstream.connections == 1


async def test_an_early_answer_reaches_the_caller_and_ends_its_connection() -> None:
    got = 0

    async def script(peer: Peer) -> None:
        nonlocal got
        await peer.read_head()
        await peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nstop")
        got = len(await peer.read_to_end())

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(request(f"POST {PATH} HTTP/1.1", "Content-Length: 1000000") + b"a" * 99999)
        status, head, body = await peer.read_answer()
        assert (status, body) == (413, b"stop")
        assert values(head, b"connection") == [b"close"]
        # What still comes is dropped and not answered with a reset.
        await peer.send(b"a" * 200_000)
        peer.writer.write_eof()
        assert await peer.read_to_end() == b""
        peer.close()
        record = await gateway.recorder.wait_for(1)
        assert (record.status, record.cut) == (413, "")
        assert gateway.gateway.idle_upstream_connections() == 0
    assert got < 1_000_000


async def test_the_upload_goes_on_while_an_early_answer_streams() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        await peer.read(400_000)
        await peer.send(b"3\r\ntwo\r\n0\r\n\r\n")
        await peer.read_to_end()

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(request(f"POST {PATH} HTTP/1.1", "Content-Length: 400000"))
        await peer.read_head()
        assert await peer.read(8) == b"3\r\none\r\n"
        await peer.send(b"a" * 400_000)
        assert await peer.read(13) == b"3\r\ntwo\r\n0\r\n\r\n"
        peer.close()
        record = await gateway.recorder.wait_for(1)
        assert record.bytes_in == 400_000


@pytest.mark.parametrize("status", [b"200 OK", b"413 Too Large"])
async def test_an_early_answer_survives_the_reset_that_follows_it(status: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.read_head()
        # Closing with unread input makes the kernel send a reset behind the answer.
        await peer.send(b"HTTP/1.1 %b\r\nContent-Length: 4\r\n\r\nstop" % status)

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        for _ in range(20):
            peer = await gateway.dial()
            await peer.send(request(f"POST {PATH} HTTP/1.1", "Content-Length: 9000000"))
            sending = asyncio.create_task(peer.send(b"a" * 2_000_000))
            assert (await peer.read_answer())[2] == b"stop"
            peer.close()
            await asyncio.gather(sending, return_exceptions=True)


async def test_an_upstream_that_ends_its_side_without_reading_is_not_waited_for() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_head()
        peer.writer.write_eof()
        await asyncio.Event().wait()

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(request(f"POST {PATH} HTTP/1.1", "Content-Length: 9000000"))
        sending = asyncio.create_task(peer.send(b"a" * 9_000_000))
        status, _, body = await peer.read_answer()
        assert status == 502
        assert b"upstream closed the connection" in body
        peer.close()
        await asyncio.gather(sending, return_exceptions=True)

"""Bodies that break, callers that leave, connections that stay or end."""

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
async def test_a_caller_that_leaves_ends_the_upstream_request(answer: bytes, how: str) -> None:
    script = Script(answer)
    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(request())
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


# HTTP/1.0.


@pytest.mark.parametrize(
    ("fields", "connection"), [((), b"close"), (("Connection: keep-alive",), b"keep-alive")]
)
async def test_http_1_0_stays_only_when_it_asks(fields: tuple[str, ...], connection: bytes) -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        for _ in range(2):
            await peer.send(request(GET10, *fields))
            status, head, body = await peer.read_answer()
            assert (status, body) == (200, b"ok")
            assert values(head, b"connection") == [connection]
            if connection == b"close":
                assert await peer.read_to_end() == b""
                break
        peer.close()


async def test_http_1_0_needs_no_host() -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        assert (await gateway.ask(GET10.encode() + b"\r\n\r\n"))[0] == 200


async def test_http_1_0_gets_a_chunked_answer_until_the_close() -> None:
    chunked = STREAMED + b"0\r\n\r\n"
    async with scripted(answering(chunked)) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(request(GET10, "Connection: keep-alive"))
        head = await peer.read_head()
        assert values(head, b"transfer-encoding") == []
        assert values(head, b"connection") == [b"close"]
        assert await peer.read_to_end() == b"hello"
        peer.close()


async def test_http_1_0_head_has_no_body() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    async with scripted(answering(answer)) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(request(f"HEAD {PATH} HTTP/1.0"))
        answered = await peer.read_to_end()
        assert b"\r\nContent-Length: 5\r\n" in answered
        assert answered.endswith(b"\r\n\r\n")
        peer.close()


async def test_a_refusal_of_http_1_0_ends_the_connection() -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(request("GET /nowhere HTTP/1.0", "Connection: keep-alive"))
        answer = await peer.read_to_end()
        assert answer.startswith(b"HTTP/1.1 404 ")
        assert b"\r\nConnection: close\r\n" in answer
        peer.close()


# Connections and ids.


async def test_connection_close_is_honoured_and_what_follows_is_not_executed() -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with (
        scripted(answering(OK, seen=seen)) as upstream,
        running(upstream.origin) as gateway,
    ):
        peer = await gateway.dial()
        await peer.send(request(f"GET {PATH} HTTP/1.1", "Connection: close") + request() * 3)
        status, head, _ = await peer.read_answer()
        assert (status, values(head, b"connection")) == (200, [b"close"])
        assert await peer.read_to_end() == b""
        peer.close()
        assert len(gateway.records) == 1
    assert len(seen) == 1


@pytest.mark.parametrize("protocol", ["websocket", "h2c", "tls/1.0", "\x80"])
@pytest.mark.parametrize("body", [b"", b"hello"], ids=["without a body", "with a body"])
async def test_an_upgrade_is_declined_and_what_follows_is_no_request(
    protocol: str, body: bytes
) -> None:
    seen: list[tuple[bytes, bytes]] = []
    fields = (f"Upgrade: {protocol}", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AA")
    async with (
        scripted(answering(OK, seen=seen)) as upstream,
        running(upstream.origin) as gateway,
    ):
        peer = await gateway.dial()
        line = POST if body else f"GET {PATH} HTTP/1.1"
        await peer.send(request(line, *fields, body=body) + request() * 2)
        status, head, answer = await peer.read_answer()
        assert (status, answer) == (200, b"ok")
        assert values(head, b"connection") == [b"close"]
        assert await peer.read_to_end() == b""
        peer.close()
        assert len(gateway.records) == 1
    ((head, received),) = seen
    assert received == body
    assert values(head, b"upgrade") == values(head, b"http2-settings") == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a.B_9-" + "x" * 122, True),
        ("x" * 129, False),
        ("a b", False),
        ("", False),
        ("a\xe9", False),
        ("a\r\nX-Request-Id: b", False),
    ],
)
async def test_a_request_id_is_taken_when_it_is_plain(given: str, kept: bool) -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        _, head, _ = await gateway.ask(request(f"GET {PATH} HTTP/1.1", f"X-Request-Id: {given}"))
        (request_id,) = values(head, b"x-request-id")
        assert (request_id == given.encode("latin-1")) is kept
        assert gateway.records[0].request_id == request_id.decode()
        assert kept or len(request_id) == 32


async def test_a_refusal_of_an_unread_body_arrives_and_ends_the_connection() -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(request("POST /nowhere HTTP/1.1", "Content-Length: 10000000"))
        await peer.send(b"x" * 10_000_000)
        status, head, _ = await peer.read_answer()
        assert (status, values(head, b"connection")) == (404, [b"close"])
        assert await peer.read_to_end() == b""
        peer.close()


async def test_a_refusal_of_a_read_body_leaves_the_connection_open() -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(request("POST /nowhere HTTP/1.1", body=b"hello") + request())
        assert (await peer.read_answer())[0] == 404
        assert (await peer.read_answer())[0] == 200
        peer.close()


# Pages that we do not know, and OPTIONS.


@pytest.mark.parametrize(
    ("line", "fields", "status"),
    [
        (f"POST {PATH}?_method=DELETE HTTP/1.1", ["Sec-Fetch-Site: cross-site"], 403),
        (f"POST {PATH} HTTP/1.1", ["Sec-Fetch-Site: same-site"], 403),
        (f"POST {PATH} HTTP/1.1", ["Origin: https://evil.example"], 403),
        (f"POST {PATH} HTTP/1.1", ["Origin: null"], 403),
        (f"OPTIONS {PATH} HTTP/1.1", ["Origin: https://evil.example"], 403),
        (f"GET {PATH} HTTP/1.1", ["Origin: https://evil.example"], 200),
        (f"POST {PATH} HTTP/1.1", ["Sec-Fetch-Site: same-origin"], 200),
        (f"POST {PATH} HTTP/1.1", [], 200),
        (f"GET {PATH} HTTP/1.1", ["Host: rebound.example"], 403),
        (f"GET {PATH} HTTP/1.1", ["Host: localhost:1"], 403),
        (f"GET {PATH} HTTP/1.1", ["Host: 127.0.0.1"], 200),
        (f"GET {PATH} HTTP/1.1", ["Host: [::1]"], 200),
    ],
)
async def test_a_page_we_do_not_know_may_only_read(
    line: str, fields: list[str], status: int
) -> None:
    allowing = OK.replace(b"\r\n\r\n", b"\r\nAccess-Control-Allow-Origin: *\r\n\r\n")
    async with scripted(answering(allowing)) as upstream, running(upstream.origin) as gateway:
        got, head, _ = await gateway.ask(request(line, *fields))
        assert got == status
        with_origin = any(field.startswith("Origin") for field in fields)
        if status == 200:
            allowed = values(head, b"access-control-allow-origin")
            assert allowed == ([] if with_origin else [b"*"])
        else:
            assert values(head, b"x-gateway-error") == [b"not-permitted"]
            assert upstream.connections == 0


async def test_options_ends_here_when_it_may_go_no_further() -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with (
        scripted(answering(OK, seen=seen)) as upstream,
        running(upstream.origin) as gateway,
    ):
        options = f"OPTIONS {PATH} HTTP/1.1"
        peer = await gateway.dial()
        await peer.send(request(options, "Max-Forwards: 0") + request(options, "Max-Forwards: 3"))
        status, head, _ = await peer.read_answer()
        assert status == 204
        assert values(head, b"allow") == [b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"]
        assert values(head, b"content-length") == []
        assert (await peer.read_answer())[0] == 200
        peer.close()
    ((head, _),) = seen
    assert values(head, b"max-forwards") == [b"2"]

"""Which connections stay, which end, and what answers a caller of HTTP/1.0 can read."""

import pytest

from tests.wire import OK, PATH, answering, request, running, scripted, values

POST = f"POST {PATH} HTTP/1.1"
GET10 = f"GET {PATH} HTTP/1.0"
CHUNKED_ANSWER = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"


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
    async with scripted(answering(CHUNKED_ANSWER)) as upstream, running(upstream.origin) as gateway:
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

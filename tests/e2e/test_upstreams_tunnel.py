"""Verbs in disguise: what leaves, what the caller gets, and what becomes of a body nobody wants."""

import asyncio

import pytest

from tests.wire import PATH, PATIENCE_S, Peer, Script, answering, request, running, scripted, values

TUNNEL = "upstreams.platform.tunnel={}"
HELLO = b"HTTP/1.1 200 OK\r\nETag: a\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
DONE = b"HTTP/1.1 204 No Content\r\n\r\n"


@pytest.mark.parametrize(
    ("tunnel", "line", "override"),
    [
        ("header", f"POST {PATH}?a=%2B HTTP/1.1", [b"DELETE"]),
        ("query", f"POST {PATH}?a=%2B&_method=DELETE HTTP/1.1", []),
    ],
)
@pytest.mark.parametrize("body", [b"", b"hello"])
async def test_a_delete_leaves_as_post_with_its_body(
    tunnel: str, line: str, override: list[bytes], body: bytes
) -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with (
        scripted(answering(DONE, seen=seen)) as upstream,
        running(upstream.origin, TUNNEL.format(tunnel)) as gateway,
    ):
        status, head, _ = await gateway.ask(request(f"DELETE {PATH}?a=%2B HTTP/1.1", body=body))
        record = await gateway.recorder.wait_for(1)
    ((sent, sent_body),) = seen
    assert status == 204
    assert sent.partition(b"\r\n")[0] == line.encode()
    assert values(sent, b"x-http-method-override") == override
    assert values(sent, b"content-length") == [b"%d" % len(body)]
    assert sent_body == body
    assert record.asked.method == "DELETE"
    # A cache between the caller and us saw a DELETE.
    assert values(head, b"cache-control") == []


@pytest.mark.parametrize(
    ("reply", "length"),
    [
        (HELLO, [b"5"]),
        (CHUNKED + b"5\r\nhello\r\n0\r\n\r\n", []),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", [b"0"]),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n" + b"a" * 65536, [b"65536"]),
    ],
)
async def test_a_head_leaves_as_get_and_its_connection_serves_again(
    reply: bytes, length: list[bytes]
) -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with (
        scripted(answering(reply, seen=seen)) as upstream,
        running(upstream.origin, TUNNEL.format("header")) as gateway,
    ):
        peer = await gateway.dial()
        for _ in range(3):
            await peer.send(request(f"HEAD {PATH} HTTP/1.1"))
            status, head, _ = await peer.read_answer("HEAD")
            assert (status, values(head, b"content-length")) == (200, length)
            assert values(head, b"transfer-encoding") == []
        peer.close()
        record = await gateway.recorder.wait_for(3)
    assert [head.partition(b" ")[0] for head, _ in seen] == [b"GET"] * 3
    assert upstream.connections == 1
    assert (record.asked.method, record.bytes_out, record.cut) == ("HEAD", 0, "")


def endless(head: bytes) -> Script:
    """Return an upstream that answers, sends 200 kB without an end, and wants to be cut."""

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(head)
        for _ in range(50):
            await peer.send(b"1000\r\n" + b"a" * 4096 + b"\r\n")
        await peer.read_to_end()

    return script


@pytest.mark.parametrize(
    "head",
    [CHUNKED, b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n"],
    ids=["chunked", "until close", "length"],
)
async def test_a_large_body_that_nobody_wants_costs_its_connection(head: bytes) -> None:
    async with (
        scripted(endless(head)) as upstream,
        running(upstream.origin, TUNNEL.format("header")) as gateway,
    ):
        peer = await gateway.dial()
        for _ in range(2):
            await peer.send(request(f"HEAD {PATH} HTTP/1.1"))
            assert (await peer.read_answer("HEAD"))[0] == 200
        peer.close()
        record = await gateway.recorder.wait_for(2)
    assert upstream.connections == 2
    assert not record.cut


async def test_a_body_that_nobody_wants_and_that_breaks_off_harms_no_caller() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(HELLO[:-2])

    async with (
        scripted(script) as upstream,
        running(upstream.origin, TUNNEL.format("header")) as gateway,
    ):
        peer = await gateway.dial()
        for _ in range(2):
            await peer.send(request(f"HEAD {PATH} HTTP/1.1"))
            assert (await peer.read_answer("HEAD"))[0] == 200
        peer.close()
        assert not (await gateway.recorder.wait_for(2)).cut


@pytest.mark.parametrize(
    "sent",
    [
        *(CHUNKED, b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" + b"a" * 1000),
        CHUNKED + b"1000\r\n" + b"a" * 4096 + b"\r\n",
    ],
    ids=["no body yet", "length", "chunked"],
)
async def test_who_leaves_with_the_head_had_its_answer_and_leaves_no_connection(
    sent: bytes,
) -> None:
    ended = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(sent)
        await peer.read_to_end()
        ended.set()

    async with (
        scripted(script) as upstream,
        running(upstream.origin, TUNNEL.format("header")) as gateway,
    ):
        peer = await gateway.dial()
        await peer.send(request(f"HEAD {PATH} HTTP/1.1"))
        assert (await peer.read_answer("HEAD"))[0] == 200
        peer.close()
        async with asyncio.timeout(PATIENCE_S):
            await ended.wait()
        record = await gateway.recorder.wait_for(1)
        assert (record.status, record.code, record.cut) == (200, "", "")
        assert gateway.gateway.idle_upstream_connections() == 0

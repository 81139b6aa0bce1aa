"""gateway/engine/swift.py, in either lane: what is done at once, what goes on, what is settled."""

import asyncio
from collections.abc import Callable

import pytest

from gateway.engine import swift
from tests.wire import OK, PATH, Peer, answering, fields_of, request, running, scripted, values

LANES = ("engine.fast_lane=true", "engine.fast_lane=false")
in_either_lane = pytest.mark.parametrize("lane", LANES, ids=["fast", "main"])
PUT = request(f"PUT {PATH} HTTP/1.1", body=b"abc")
BUSY = b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
REFUSED = (
    b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n"
    b'{"errorCode":"OAU-213"}\n'
)
# The first one opens a connection, and after the second one the main lane knows the head.
BEFORE = 2


@in_either_lane
@pytest.mark.parametrize(
    ("last", "status", "attempts"),
    [
        (OK, 200, 1),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, 1),
        (b"HTTP/1.1 205 Reset\r\nContent-Length: 2\r\n\r\nno", 205, 1),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", 404, 1),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, 1),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, 1),
        (BUSY, 200, 2),
        (REFUSED, 401, 1),
        (b"", 200, 2),
        (b"HTTP/1.1 2", 502, 1),
        (b"rubbish\r\n\r\n", 502, 1),
    ],
)
async def test_an_answer_on_a_kept_connection(
    lane: str, last: bytes, status: int, attempts: int
) -> None:
    seen: list[bytes] = []

    async def script(peer: Peer) -> None:
        for reply in (OK, OK, last) if upstream.connections == 1 else (OK,):
            seen.append((await peer.read_request())[1])
            await peer.send(reply)
        if len(seen) == BEFORE + 1:
            peer.close()
        else:
            await peer.read_to_end()

    async with scripted(script) as upstream, running(upstream.origin, lane) as gateway:
        peer = await gateway.dial()
        for expected in (*[200] * BEFORE, status):
            await peer.send(PUT)
            assert (await peer.read_answer())[0] == expected
        record = await gateway.recorder.wait_for(BEFORE + 1)
        assert (record.status, record.attempts, record.bytes_in) == (status, attempts, 3)
        assert seen == [b"abc"] * (BEFORE + attempts)
        assert gateway.gateway.gate.in_flight == 0
        peer.close()


@in_either_lane
async def test_a_body_that_comes_later_is_streamed(lane: str) -> None:
    more = asyncio.Event()

    async def script(peer: Peer) -> None:
        for _ in range(BEFORE + 1):
            await peer.read_request()
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
            await more.wait()
            await peer.send(b"cd")

    async with scripted(script) as upstream, running(upstream.origin, lane) as gateway:
        peer = await gateway.dial()
        for _ in range(BEFORE + 1):
            more.clear()
            await peer.send(PUT)
            await peer.read_head()
            assert await peer.read(2) == b"ab"
            more.set()
            assert await peer.read(2) == b"cd"
        assert (await gateway.recorder.wait_for(BEFORE + 1)).bytes_out == 4
        peer.close()
        assert upstream.connections == 1


@in_either_lane
async def test_a_silent_upstream_is_given_up_at_the_deadline(lane: str) -> None:
    async def script(peer: Peer) -> None:
        for _ in range(BEFORE):
            await peer.read_request()
            await peer.send(OK)
        await peer.read_to_end()

    sets = (lane, "timeouts.first_byte_s=0.2")
    async with scripted(script) as upstream, running(upstream.origin, *sets) as gateway:
        peer = await gateway.dial()
        for expected in (*[200] * BEFORE, 504):
            await peer.send(PUT)
            assert (await peer.read_answer())[0] == expected
        assert (await gateway.recorder.wait_for(BEFORE + 1)).attempts == 1
        peer.close()


@in_either_lane
async def test_links_are_rewritten_and_restored(lane: str) -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with scripted(answering(OK, OK, seen=seen)) as first:
        origin = first.origin
    reply = b'{"uri":"%b/restapi/v1.0/x"}' % origin.encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    async with (
        scripted(answering(head % len(reply) + reply, seen=seen), port=first.port),
        running(origin, lane, "links.rewrite=on") as gateway,
    ):
        here = b"http://127.0.0.1:%d/restapi/v1.0/x" % gateway.port
        body = b'{"uri":"%b"}' % here
        sent = request(
            f"PUT {PATH} HTTP/1.1",
            f"Host: 127.0.0.1:{gateway.port}",
            "Content-Type: application/json",
            body=body,
        )
        peer = await gateway.dial()
        for _ in range(BEFORE + 1):
            await peer.send(sent)
            assert (await peer.read_answer())[2] == body
        assert [given for _, given in seen] == [reply] * (BEFORE + 1)
        assert values(seen[-1][0], b"content-length") == [b"%d" % len(reply)]
        peer.close()


@in_either_lane
@pytest.mark.parametrize("tag", ['"a"', 'W/"a"'])
async def test_a_304_has_the_tag_that_its_caller_holds(lane: str, tag: str) -> None:
    sets = (lane, "links.rewrite=on")
    reply = b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'
    async with scripted(answering(reply)) as upstream, running(upstream.origin, *sets) as gateway:
        peer = await gateway.dial()
        host = f"Host: 127.0.0.1:{gateway.port}"
        # The values of a query may differ between heads that are alike.
        for number in range(2 * BEFORE + 2):
            line = f"GET {PATH}?page={number // 2} HTTP/1.1"
            await peer.send(request(line, host, f"If-None-Match: {tag}"))
            status, head, _ = await peer.read_answer()
            assert (status, values(head, b"etag")) == (304, [tag.encode()])
        peer.close()


@in_either_lane
@pytest.mark.parametrize("name", ["relink_whole", "begin_answer", "restore_whole"])
async def test_a_bug_of_ours_is_answered_and_told(
    lane: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise ZeroDivisionError

    sent = request(f"PUT {PATH} HTTP/1.1", "Content-Type: application/json", body=b"{}")
    sets = (lane, "links.rewrite=on")
    async with scripted(answering(OK)) as upstream, running(upstream.origin, *sets) as gateway:
        peer = await gateway.dial()
        for _ in range(BEFORE):
            await peer.send(sent)
            assert (await peer.read_answer())[0] == 200
        monkeypatch.setattr(swift, name, broken)
        await peer.send(sent)
        status, head, _ = await peer.read_answer()
        assert (status, dict(fields_of(head))[b"X-Gateway-Error"]) == (500, b"internal")
        assert isinstance((await gateway.recorder.wait_for(BEFORE + 1)).bug, ZeroDivisionError)
        assert gateway.gateway.idle_upstream_connections() == 0
        assert gateway.gateway.gate.in_flight == 0
        peer.close()


@in_either_lane
async def test_a_bug_of_ours_before_anything_was_asked_is_answered_and_told(
    lane: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise ZeroDivisionError

    async with scripted(answering(OK)) as upstream, running(upstream.origin, lane) as gateway:
        for _ in range(BEFORE):
            await gateway.ask(PUT)
        for way in gateway.gateway.gate.outfit.ways.values():
            way.pool.close()
        monkeypatch.setattr(swift, "WholeUpload", broken)
        status, head, _ = await gateway.ask(PUT)
        assert (status, dict(fields_of(head))[b"X-Gateway-Error"]) == (500, b"internal")
        assert isinstance((await gateway.recorder.wait_for(BEFORE + 1)).bug, ZeroDivisionError)


@in_either_lane
@pytest.mark.parametrize("cut", [True, False], ids=["the caller goes", "we stop"])
async def test_a_request_that_ends_early_takes_its_upstream_connection_along(
    lane: str, cut: bool
) -> None:
    asked, ended = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        for _ in range(BEFORE):
            await peer.read_request()
            await peer.send(OK)
        await peer.read_request()
        asked.set()
        await peer.read_to_end()
        ended.set()

    async with scripted(script) as upstream, running(upstream.origin, lane) as gateway:
        peer = await gateway.dial()
        for _ in range(BEFORE):
            await peer.send(PUT)
            assert (await peer.read_answer())[0] == 200
        await peer.send(PUT)
        await asked.wait()
        end: Callable[[], object] = peer.close if cut else gateway.gateway.gate.dismiss
        end()
        record = await gateway.recorder.wait_for(BEFORE + 1)
        await ended.wait()
        assert record.status == (499 if cut else 503)
        assert record.upstream_s is not None
        assert gateway.gateway.gate.in_flight == 0
        peer.close()

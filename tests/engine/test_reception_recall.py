"""A whole request with a known head is not parsed again, and nobody can tell."""

import asyncio
from dataclasses import replace
from itertools import pairwise
from typing import cast

import pytest
from aiohttp.web_protocol import RequestHandler
from hypothesis import given
from hypothesis import strategies as st

from gateway.engine.caller import CallerConnection
from tests.e2e.test_callers_segments import play
from tests.policy.world import policy_of
from tests.reloads import change, config_for
from tests.wire import OK, PATH, Peer, Running, answering, request, running, scripted, values

MAIN = "engine.fast_lane=false"
PUT = request(f"PUT {PATH} HTTP/1.1", body=b"abc")
OVERRIDE = request(f"POST {PATH} HTTP/1.1", "X-HTTP-Method-Override: DELETE", body=b"")
LAST = request("GET /nowhere HTTP/1.1", "Connection: close")


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return what aiohttp is given to parse."""
    given_: list[bytes] = []
    parse = RequestHandler.data_received

    def noted(self: RequestHandler, data: bytes) -> None:
        given_.append(data)
        parse(self, data)

    monkeypatch.setattr(RequestHandler, "data_received", noted)
    return given_


async def teach(gateway: Running, *sent: bytes) -> None:
    """Have requests come often enough to be known."""
    for one in sent:
        for _ in range(3):
            assert (await gateway.ask(one))[0] == 200


@pytest.mark.parametrize(
    ("sent", "is_recalled"),
    [
        (request(), True),
        (PUT, True),
        (OVERRIDE, True),
        (request(f"POST {PATH}?_method=HEAD HTTP/1.1"), False),
        (request(f"GET {PATH}?a=b&a=%2B HTTP/1.1", "Accept: text/plain"), True),
        (request(f"GET {PATH} HTTP/1.1", "Connection: keep-alive"), True),
        (request(f"GET {PATH} HTTP/1.1", "Connection: close"), False),
        (request(f"GET {PATH} HTTP/1.1", "Connection: keep-alive, te"), False),
        (request(f"GET {PATH} HTTP/1.1", "Proxy-Connection: close"), False),
        (request(f"GET {PATH} HTTP/1.1", "Upgrade: h2c", "Connection: upgrade"), False),
        (request(f"PUT {PATH} HTTP/1.1", "Expect: 100-continue", body=b"abc"), False),
        (request(f"GET {PATH} HTTP/1.1", "X-Tab:\ta"), False),
        (request(f"GET {PATH} HTTP/1.0", "Connection: keep-alive"), False),
        (request(f"HEAD {PATH} HTTP/1.1"), False),
        (request("OPTIONS * HTTP/1.1", "Max-Forwards: 0"), False),
        (request(f"GET {PATH} HTTP/1.1", "X-Request-Id: one"), False),
        (request(f"GET {PATH}?access_token=secret HTTP/1.1"), False),
    ],
)
async def test_only_plain_heads_that_end_nothing_are_recalled_without_parsing(
    sent: bytes, is_recalled: bool, parsed: list[bytes]
) -> None:
    seen: list[tuple[bytes, bytes]] = []
    method = sent.partition(b" ")[0].decode()
    async with scripted(answering(OK, seen=seen)) as upstream, running(upstream.origin, MAIN) as g:
        first = [await g.ask(sent, method) for _ in range(3)]
        parsed.clear()
        again = await g.ask(sent, method)
    assert not parsed if is_recalled else parsed
    assert {again[0]} == {status for status, *_ in first}
    assert len({head for head, _ in seen}) <= 1
    assert all(record.bug is None for record in g.records)


async def test_a_known_head_is_parsed_when_more_or_less_than_its_request_is_here(
    parsed: list[bytes],
) -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin, MAIN) as gateway:
        await teach(gateway, PUT)
        for pieces in ([PUT[:-1], PUT[-1:]], [PUT + b"\r\n"], [PUT * 2], [b"\r\n" + PUT]):
            parsed.clear()
            expected = [(b"HTTP/1.1 200 OK", b"ok")] * (2 if pieces == [PUT * 2] else 1)
            answers = await play(gateway, [*pieces, LAST])
            assert answers[:-1] == expected
            assert PUT[: PUT.index(b"\r\n\r\n") + 4] in parsed


PIECES = st.sampled_from([PUT, OVERRIDE, request(), request("GET /nowhere HTTP/1.1"), b"\r\n"])


@given(st.lists(PIECES, max_size=5), st.lists(st.integers(1, 700), max_size=3))
def test_wherever_known_requests_are_cut_they_are_answered_as_unknown_ones(
    pieces: list[bytes], cuts: list[int]
) -> None:
    sent = b"".join(pieces)
    places = [0, *sorted({cut for cut in cuts if cut < len(sent)}), len(sent)]
    cut = [sent[start:end] for start, end in pairwise(places)]

    async def once() -> None:
        seen: list[tuple[bytes, bytes]] = []
        async with (
            scripted(answering(OK, seen=seen)) as upstream,
            running(upstream.origin, MAIN) as gateway,
        ):
            expected = await play(gateway, [sent + LAST])
            received = list(seen)
            await teach(gateway, PUT, OVERRIDE, request())
            for given_ in ([*cut, LAST], [*pieces, LAST], [sent + LAST]):
                seen.clear()
                assert await play(gateway, [piece for piece in given_ if piece]) == expected
                assert seen == received

    asyncio.run(once())


@pytest.mark.parametrize("before", [b"", b"x" * 9, b"x" * 200_000])
@pytest.mark.parametrize("coding", ["length", "chunked"])
async def test_a_request_behind_any_body_is_recalled(
    before: bytes, coding: str, parsed: list[bytes]
) -> None:
    seen: list[tuple[bytes, bytes]] = []
    chunked = b"%x\r\n%b\r\n" % (len(before), before) if before else b""
    line = f"PUT {PATH}/1 HTTP/1.1"
    first = (
        request(line, body=before)
        if coding == "length"
        else request(line, "Transfer-Encoding: chunked", body=chunked + b"0\r\n\r\n")
    )
    async with scripted(answering(OK, seen=seen)) as upstream, running(upstream.origin, MAIN) as g:
        await teach(g, PUT)
        peer = await g.dial()
        for sent in (first, PUT, first, PUT):
            parsed.clear()
            await peer.send(sent)
            assert (await peer.read_answer())[0] == 200
            assert bool(parsed) is (sent is first)
        peer.close()
    assert [body for _, body in seen[4::2]] == [b"abc"] * 2


async def test_what_comes_while_a_body_is_under_way_is_its(parsed: list[bytes]) -> None:
    """The bytes of a known request may be bytes of a body."""
    seen: list[tuple[bytes, bytes]] = []
    line = f"POST {PATH}/1 HTTP/1.1"
    chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(PUT), PUT)
    async with scripted(answering(OK, seen=seen)) as upstream, running(upstream.origin, MAIN) as g:
        await teach(g, PUT)
        for whole in (
            request(line, body=PUT),
            request(line, body=PUT + b"x" * 300_000),
            request(line, "Transfer-Encoding: chunked", body=chunk),
            request(line, "X-A: " + "a" * 100),
        ):
            start = whole.find(PUT)
            parts = [whole[:start], PUT, whole[start + len(PUT) :]]
            cuts = parts if start > 0 else [whole[:-30], whole[-30:]]
            answers = await play(g, [*[cut for cut in cuts if cut], LAST])
            assert [line for line, _ in answers] == [b"HTTP/1.1 200 OK", b"HTTP/1.1 404 Not Found"]
    bodies = [body for _, body in seen[3:]]
    assert bodies == [PUT, PUT + b"x" * 300_000, PUT, b""]
    assert len(seen) == 7


@pytest.mark.parametrize(
    "begun",
    [
        *(b"P", b"GET /a", b"GET / HTTP/1.1\r", b"GET / HTTP/1.1\r\n", b"\r", b"\r\n"),
        *(b"GET / HTTP/1.1\r\nX-A: ", b"GET / HTTP/1.1\r\nHost: a\r\n", b"\x00"),
    ],
)
async def test_what_comes_while_a_head_is_under_way_is_its(begun: bytes) -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin, MAIN) as gateway:
        await teach(gateway, PUT)
        for before in (b"", request()):
            expected = await play(gateway, [before + begun + PUT + LAST])
            assert await play(gateway, [before + begun, PUT, LAST]) == expected


async def test_the_time_of_a_head_ends_when_it_is_recalled() -> None:
    async def script(peer: Peer) -> None:
        while True:
            head, _ = await peer.read_request()
            await asyncio.sleep(0.4 if b"\r\nX-Slow: 1\r\n" in head else 0)
            await peer.send(OK)

    slow = request(f"PUT {PATH} HTTP/1.1", "X-Slow: 1", body=b"abc")
    async with (
        scripted(script) as upstream,
        running(upstream.origin, MAIN, "timeouts.head_s=0.2") as gateway,
    ):
        await teach(gateway, slow)
        assert (await gateway.ask(slow))[0] == 200


async def test_a_recalled_request_waits_for_the_one_before(parsed: list[bytes]) -> None:
    asked, may_answer = asyncio.Event(), asyncio.Event()
    count = 0

    async def script(peer: Peer) -> None:
        nonlocal count
        while True:
            await peer.read_request()
            count += 1
            if count == 4:
                asked.set()
                await may_answer.wait()
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % count)

    async with scripted(script) as upstream, running(upstream.origin, MAIN) as gateway:
        await teach(gateway, PUT)
        peer = await gateway.dial()
        await peer.send(PUT)
        await asked.wait()
        for _ in range(3):
            await peer.send(PUT)
            await asyncio.sleep(0.01)
        may_answer.set()
        assert [(await peer.read_answer())[2] for _ in range(4)] == [b"4", b"5", b"6", b"7"]
        peer.close()


async def test_what_was_recalled_is_decided_anew_when_the_policy_changes_meanwhile() -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with scripted(answering(OK, seen=seen)) as upstream, running(upstream.origin, MAIN) as g:
        await teach(g, PUT, OVERRIDE)
        for sent in (PUT, OVERRIDE):
            peer = await g.dial()
            await peer.send(request())
            await peer.read_answer()
            (server,) = g.gateway.servers
            connection = cast(CallerConnection, next(iter(server.connections)))
            connection.data_received(sent)
            gate, outfit = g.gateway.gate, g.gateway.gate.outfit
            await gate.change(replace(outfit, policy=policy_of()))
            assert (await peer.read_answer())[0] == 200
            await gate.change(outfit)
            peer.close()
            await gate.emptied()
    after = [(head.partition(b" ")[0], body) for head, body in seen[7::2]]
    assert after == [(b"PUT", b"abc"), (b"DELETE", b"")]
    hosts = [values(head, b"host")[0] for head, _ in seen[7::2]]
    assert hosts == [b"platform.ringcentral.com"] * 2


@pytest.mark.parametrize(("changed", "status"), [(MAIN, 431), ("limits.max_in_flight=9", 200)])
async def test_a_connection_keeps_its_bounds_for_heads_when_the_limits_change(
    changed: str, status: int, parsed: list[bytes]
) -> None:
    long = request(f"GET {PATH} HTTP/1.1", *[f"X-{n}: {'a' * 60}" for n in range(30)])
    asked = request() if status == 200 else long
    small = ("limits.max_head_bytes=1024", "limits.max_target_bytes=512")
    async with scripted(answering(OK)) as upstream, running(upstream.origin, MAIN, *small) as g:
        peers = [await g.dial() for _ in range(2)]
        for peer in peers:
            await peer.send(request())
            await peer.read_answer()
        kept = () if status == 431 else small
        await change(g, config_for(upstream.origin, MAIN, changed, *kept))
        await teach(g, asked)
        parsed.clear()
        await peers[0].send(asked)
        assert (await peers[0].read_answer())[0] == status
        assert bool(parsed) is (status == 431)
        await peers[1].send(asked[:-9])
        await asyncio.sleep(0.01)
        await peers[1].send(asked[-9:])
        assert (await peers[1].read_answer())[0] == status
        for peer in peers:
            peer.close()


async def test_a_recalled_request_is_refused_as_any_and_told_of_as_any() -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin, MAIN) as gateway:
        agent = request(f"GET {PATH} HTTP/1.1", "User-Agent: some-agent/1")
        await teach(gateway, agent)
        gateway.gateway.gate.is_refusing = True
        status, head, _ = await gateway.ask(agent)
        record = gateway.records[-1]
    assert (status, values(head, b"x-gateway-error")) == (503, [b"draining"])
    assert record.asked.user_agent == b"some-agent/1"
    assert record.asked.path == PATH.encode()

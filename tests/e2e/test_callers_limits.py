"""What a caller may use up: sizes and counts, each with its answer."""

import asyncio

import pytest

from gateway.core.message import Listener
from gateway.engine.admission import TOLD_TOO_MANY
from gateway.engine.body_intake import MAX_FIELDS
from gateway.engine.caller import CallerConnection
from gateway.engine.server import Server
from tests.e2e.refusing import refused, unreached
from tests.eventually import eventually
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
HEAD = ("limits.max_head_bytes=1000", "limits.max_target_bytes=1000")
SMALL = ("limits.max_body_bytes=100000", "limits.replay_body_bytes=1000")


# Sizes.


async def test_a_target_may_have_its_limit_and_not_a_byte_more() -> None:
    sets = ("limits.max_target_bytes=100",)
    line = "GET /restapi/{:a<91} HTTP/1.1"
    async with scripted(answering(OK)) as upstream, running(upstream.origin, *sets) as gateway:
        assert (await gateway.ask(request(line.format(""))))[0] == 200
    async with unreached(*sets) as gateway:
        assert await refused(gateway, request(line.format("a" * 92))) == (414, b"target-too-long")
        assert await refused(gateway, request(f"GET /{'a' * 50000} HTTP/1.1")) == (
            414,
            b"target-too-long",
        )


@pytest.mark.parametrize(
    "fields",
    [["A: " + "b" * 2000], ["A" * 2000 + ": b"], ["A: b"] * 400, ["A:" + " " * 2000 + "b"]],
    ids=["one value", "one name", "many", "only space"],
)
async def test_a_head_over_its_limit_is_refused(fields: list[str]) -> None:
    async with unreached(*HEAD) as gateway:
        sent = request("GET / HTTP/1.1", *fields)
        assert await refused(gateway, sent) == (431, b"head-too-large")
        assert await refused(gateway, sent[:-2]) == (431, b"head-too-large")


async def test_a_head_of_exactly_its_limit_is_served() -> None:
    line = f"GET {PATH} HTTP/1.1"
    filler = "b" * (1000 - len(request(line, "A: ")))
    async with (
        scripted(answering(OK)) as upstream,
        running(upstream.origin, *HEAD) as gateway,
    ):
        assert (await gateway.ask(request(line, "A: " + filler)))[0] == 200
        assert await refused(gateway, request(line, "A: b" + filler)) == (431, b"head-too-large")


async def test_a_declared_body_over_the_limit_is_refused_before_it_is_read() -> None:
    async with unreached(*SMALL) as gateway:
        sent = request(POST, "Content-Length: 100001")
        assert await refused(gateway, sent) == (413, b"body-too-large")


async def test_the_answer_arrives_although_the_caller_keeps_sending() -> None:
    async with unreached(*SMALL) as gateway:
        peer = await gateway.dial()
        await peer.send(request(POST, "Content-Length: 50000000"))
        for _ in range(50):
            await peer.send(b"x" * 1_000_000)
        status, _, _ = await peer.read_answer()
        assert status == 413
        assert await peer.read_to_end() == b""
        peer.close()


async def test_a_chunked_body_over_the_limit_never_becomes_a_whole_request() -> None:
    received: asyncio.Queue[bytes] = asyncio.Queue()

    async def script(peer: Peer) -> None:
        received.put_nowait(await peer.read_head())
        received.put_nowait(await peer.read_to_end())

    async with scripted(script) as upstream, running(upstream.origin, *SMALL) as gateway:
        peer = await gateway.dial()
        await peer.send(request(POST, CHUNKED) + b"ea60\r\n" + b"x" * 60000 + b"\r\n")
        await asyncio.wait_for(received.get(), PATIENCE_S)
        await peer.send(b"ea60\r\n" + b"x" * 60000 + b"\r\n0\r\n\r\n")
        status, head, _ = await peer.read_answer()
        assert (status, values(head, b"x-gateway-error")) == (413, [b"body-too-large"])
        peer.close()
        assert (await gateway.recorder.wait_for(1)).code == "body-too-large"
        assert not (await asyncio.wait_for(received.get(), PATIENCE_S)).endswith(b"0\r\n\r\n")


# Counts.


async def test_a_connection_over_the_limit_is_told_and_closed() -> None:
    async with (
        scripted(answering(OK)) as upstream,
        running(upstream.origin, "limits.max_connections=1") as gateway,
    ):
        first, second = await gateway.dial(), await gateway.dial()
        status, head, _ = await second.read_answer()
        assert (status, values(head, b"x-gateway-error")) == (503, [b"overloaded"])
        assert values(head, b"retry-after") == [b"1"]
        assert await second.read_to_end() == b""
        second.close()
        await first.send(request())
        assert (await first.read_answer())[0] == 200
        first.close()
        await gateway.gateway.gate.emptied()
        assert (await gateway.ask(request()))[0] == 200


async def test_who_is_only_told_takes_no_room() -> None:
    async with (
        scripted(answering(OK)) as upstream,
        running(upstream.origin, "limits.max_connections=1") as gateway,
    ):
        first = await gateway.dial()
        told = [await gateway.dial() for _ in range(3)]
        for peer in told:
            assert (await peer.read_answer())[0] == 503
        await first.send(request(f"GET {PATH} HTTP/1.1", "Connection: close"))
        assert (await first.read_answer())[0] == 200
        assert await first.read_to_end() == b""
        first.close()
        gate = gateway.gateway.gate
        # Those that were told have not closed yet.
        await eventually(lambda: gate.connections == len(told))
        assert (await gateway.ask(request()))[0] == 200
        for peer in told:
            peer.close()
        await gate.emptied()
        assert gate.has_room


async def test_connections_far_over_the_limit_are_cut_without_a_word() -> None:
    async with (
        scripted(answering(OK)) as upstream,
        running(upstream.origin, "limits.max_connections=1") as gateway,
    ):
        told = [await gateway.dial() for _ in range(1 + TOLD_TOO_MANY)]
        surplus = await gateway.dial()
        assert await surplus.is_cut()
        assert (await told[-1].read_answer())[0] == 503
        assert gateway.gateway.gate.surplus == 1
        for peer in (surplus, *told):
            peer.close()
        await gateway.gateway.gate.emptied()
        assert (await gateway.ask(request()))[0] == 200


async def test_a_request_over_the_limit_is_told_and_the_connection_kept() -> None:
    release = asyncio.Event()
    asked = asyncio.Event()

    async def script(peer: Peer) -> None:
        while True:
            await peer.read_request()
            asked.set()
            await release.wait()
            await peer.send(OK)

    async with (
        scripted(script) as upstream,
        running(upstream.origin, "limits.max_in_flight=1") as gateway,
    ):
        first, second = await gateway.dial(), await gateway.dial()
        await first.send(request())
        await asked.wait()
        await second.send(request())
        status, head, _ = await second.read_answer()
        assert (status, values(head, b"x-gateway-error")) == (503, [b"overloaded"])
        assert values(head, b"retry-after") == [b"1"]
        assert values(head, b"connection") == []
        release.set()
        assert (await first.read_answer())[0] == 200
        await second.send(request())
        assert (await second.read_answer())[0] == 200
        first.close()
        second.close()


async def test_the_limits_are_really_given_to_aiohttp() -> None:
    sets = ("limits.max_target_bytes=77", "limits.max_head_bytes=777", "timeouts.keepalive_s=7")
    async with unreached(*sets, "engine.fast_lane=false") as gateway:
        connection = Server(gateway.gateway.gate, Listener())()
        assert isinstance(connection, CallerConnection)
        assert connection.max_line_size == 77
        assert connection.max_field_size == 777
        assert connection.max_headers == MAX_FIELDS
        assert connection.keepalive_timeout == 7
        assert connection.access_logger is None


@pytest.mark.parametrize("size", [b"65", b"7FFFFFFFFFFFFFFF", b"FFFFFFFFFFFFFFFF"])
async def test_a_chunk_that_announces_too_much_is_refused_at_once(size: bytes) -> None:
    async with unreached("limits.max_body_bytes=100", "limits.replay_body_bytes=50") as gateway:
        peer = await gateway.dial()
        head = request(f"POST {PATH} HTTP/1.1", "Transfer-Encoding: chunked")
        await peer.send(head + size + b"\r\nabc")
        status, answer, body = await peer.read_answer()
        assert (status, values(answer, b"x-gateway-error")) == (413, [b"body-too-large"])
        assert b"limits.max_body_bytes" in body
        peer.close()

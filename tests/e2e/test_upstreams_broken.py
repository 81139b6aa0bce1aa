"""Upstreams that fail before a head: the mapped answer at once, and nothing of theirs in it."""

import asyncio
import json
import socket
import tomllib
from contextlib import closing
from pathlib import Path

import pytest

from gateway.config import origins
from tests.wire import (
    OK,
    PATH,
    TOKEN,
    Peer,
    Running,
    Script,
    request,
    running,
    scripted,
    values,
)

CASES = tomllib.loads(
    (Path(__file__).parents[1] / "vectors" / "engine_broken_replies.toml").read_text("utf-8")
)["case"]


def breaking(reply: bytes, then: str) -> Script:
    """Return a script that answers with `reply` and then waits, closes or resets."""

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(reply)
        if then == "reset":
            # The reply is on its way; a reset at once would overtake it.
            peer.reset()
        elif then == "wait":
            await peer.read_to_end()

    return script


async def check_answer(gateway: Running, status: int, code: str, says: str) -> bytes:
    """Ask, and expect the gateway's own answer on a connection that stays."""
    peer = await gateway.dial()
    got, head, body = 0, b"", b""
    for _ in range(2):
        await peer.send(request())
        got, head, body = await peer.read_answer()
    peer.close()
    assert (got, values(head, b"x-gateway-error")) == (status, [code.encode()])
    message = json.loads(body)["message"]
    assert says in message
    assert TOKEN.encode() not in head + body
    record = gateway.records[-1]
    assert (record.status, record.code, record.message) == (status, code, message)
    assert TOKEN not in repr(record)
    assert record.cut == ""
    assert record.bug is None
    assert gateway.gateway.idle_upstream_connections() == 0
    return head


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
async def test_a_broken_reply_is_upstream_broken(case: dict[str, str]) -> None:
    reply = case["reply"].encode().decode("unicode_escape").encode("latin-1")
    async with (
        scripted(breaking(reply, case["then"])) as upstream,
        running(upstream.origin, "timeouts.first_byte_s=10") as gateway,
    ):
        async with asyncio.timeout(2):
            await check_answer(gateway, 502, "upstream-broken", case["says"])


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000, "more than 65536 bytes"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 14_000, "more than 65536 bytes"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000 + b"\r\n\r\n", "more than 65536 bytes"),
        (b"HTTP/1.1 200 " + b"K" * 70_000, "more than 65536 bytes"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1001 + b"\r\n", "more than 1000 fields"),
        (b"HTTP/1.1 102 P\r\n\r\n" * 5000, "without end"),
    ],
    ids=["value", "fields", "ended", "reason", "count", "interim"],
)
async def test_a_head_without_measure_is_upstream_broken(reply: bytes, says: str) -> None:
    async with (
        scripted(breaking(reply, "wait")) as upstream,
        running(upstream.origin) as gateway,
    ):
        async with asyncio.timeout(2):
            await check_answer(gateway, 502, "upstream-broken", says)


async def test_a_large_head_within_measure_passes() -> None:
    head = b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 990 + b"B: " + b"c" * 59_000 + b"\r\n"
    reply = head + b"Content-Length: 2\r\n\r\nok"
    async with (
        scripted(breaking(reply, "wait")) as upstream,
        running(upstream.origin) as gateway,
    ):
        _, answer, body = await gateway.ask(request())
    assert values(answer, b"b") == [b"c" * 59_000]
    assert body == b"ok"


async def test_a_refused_connection_is_upstream_unreachable() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    async with running(f"http://127.0.0.1:{port}") as gateway:
        head = await check_answer(gateway, 502, "upstream-unreachable", "refuses connections")
    assert b"error=connection_refused" in values(head, b"proxy-status")[0]


async def test_a_name_without_an_address_is_upstream_unreachable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A label of 64 bytes fails before any server is asked, and a configuration has none.
    monkeypatch.setattr(origins, "find_name_flaw", lambda _: "")
    async with running(f"https://{'a' * 64}.invalid") as gateway:
        head = await check_answer(gateway, 502, "upstream-unreachable", "cannot be resolved")
    assert b"error=dns_error" in values(head, b"proxy-status")[0]


async def test_a_connection_reset_at_once_is_a_failure_of_upstreams() -> None:
    async def script(peer: Peer) -> None:
        peer.reset()

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        async with asyncio.timeout(2):
            await check_answer(gateway, 502, "upstream-broken", "the connection before its reply")


async def test_an_upstream_that_speaks_first_is_not_believed() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(b"220 ready\r\n")
        await peer.read_to_end()

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        async with asyncio.timeout(2):
            status, _, _ = await gateway.ask(request())
        assert status == 502


async def test_a_connection_that_is_never_accepted_times_out() -> None:
    with closing(socket.socket()) as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        # The queue of length 0 takes one connection; the next gets no answer at all.
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        async with running(
            f"http://127.0.0.1:{full.getsockname()[1]}", "timeouts.connect_s=0.2"
        ) as gateway:
            head = await check_answer(gateway, 504, "upstream-timeout", "no connection to")
        for sock in waiting:
            sock.close()
    assert b"error=connection_timeout" in values(head, b"proxy-status")[0]


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 200 OK\r\nA: ", b"HTTP/1.1 100 C\r\n\r\n"])
async def test_a_head_that_does_not_come_in_time_is_upstream_timeout(reply: bytes) -> None:
    async with (
        scripted(breaking(reply, "wait")) as upstream,
        running(upstream.origin, "timeouts.first_byte_s=0.2") as gateway,
    ):
        await check_answer(gateway, 504, "upstream-timeout", "in time (timeouts.first_byte_s)")


async def test_a_silent_upstream_is_not_the_callers_fault_while_its_body_is_taken() -> None:
    async with (
        scripted(breaking(b"", "wait")) as upstream,
        running(upstream.origin, "timeouts.first_byte_s=0.2") as gateway,
    ):
        status, _, _ = await gateway.ask(request(f"PUT {PATH} HTTP/1.1", body=b"x" * 100_000))
        assert status == 504


async def test_a_body_that_does_not_come_in_time_is_the_callers_fault() -> None:
    async with (
        scripted(breaking(b"", "wait")) as upstream,
        running(upstream.origin, "timeouts.first_byte_s=0.2") as gateway,
    ):
        for framing in ("Content-Length: 9", "Transfer-Encoding: chunked"):
            status, head, _ = await gateway.ask(request(f"PUT {PATH} HTTP/1.1", framing))
            assert (status, values(head, b"x-gateway-error")) == (408, [b"request-timeout"])


async def test_after_a_failure_the_next_request_is_served() -> None:
    turns = 0

    async def script(peer: Peer) -> None:
        nonlocal turns
        while True:
            await peer.read_request()
            turns += 1
            await peer.send(b"garbage\r\n\r\n" if turns % 2 else OK)

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        statuses = []
        for _ in range(6):
            await peer.send(request())
            statuses.append((await peer.read_answer())[0])
        peer.close()
    assert statuses == [502, 200, 502, 200, 502, 200]

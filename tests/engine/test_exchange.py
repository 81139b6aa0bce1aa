import asyncio
import json
from pathlib import Path

import pytest

from gateway.engine.attempts import Attempts
from tests.wire import (
    OK,
    PATH,
    PATIENCE_S,
    TOKEN,
    Peer,
    answering,
    request,
    running,
    scripted,
    values,
    watched_loop,
)


async def test_the_record_tells_how_it_went() -> None:
    answer = b"HTTP/1.1 201 Made\r\nRCRequestId: abc\r\nContent-Length: 5\r\n\r\nhello"
    async with scripted(answering(answer)) as upstream, running(upstream.origin) as gateway:
        await gateway.ask(request(f"POST {PATH}?_method=PUT HTTP/1.1", body=b"body"))
        record = gateway.records[0]
    assert (record.status, record.upstream_status, record.rc_request_id) == (201, 201, "abc")
    assert (record.bytes_in, record.bytes_out, record.attempts) == (4, 5, 1)
    assert record.upstream_first_byte_s is not None
    assert record.upstream_s is not None
    assert 0 < record.queue_s <= record.total_s
    assert 0 < record.upstream_first_byte_s <= record.upstream_s <= record.total_s


async def test_without_a_token_nothing_is_sent_and_the_caller_may_come_back(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first")
    sets = [f'credentials.ringcentral.token="file:{token}"']
    seen: list[tuple[bytes, bytes]] = []
    async with (
        scripted(answering(OK, seen=seen)) as upstream,
        running(upstream.origin, *sets) as gateway,
    ):
        token.unlink()
        peer = await gateway.dial()
        await peer.send(request(f"PUT {PATH} HTTP/1.1", "Expect: 100-continue", body=b"x"))
        status, head, body = await peer.read_answer()
        assert (status, values(head, b"x-gateway-error")) == (503, [b"credential-unavailable"])
        assert int(values(head, b"retry-after")[0]) > 0
        assert str(token) not in json.loads(body)["message"]
        peer.close()
        assert not seen
        token.write_text("second")
        assert (await gateway.ask(request()))[0] == 200
    assert values(seen[0][0], b"authorization") == [b"Bearer second"]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ((), 504, b"upstream-timeout"),
        (("Content-Length: 9",), 408, b"request-timeout"),
        (("Transfer-Encoding: chunked",), 408, b"request-timeout"),
    ],
)
async def test_the_deadline_is_the_fault_of_whoever_was_waited_for(
    fields: tuple[str, ...], status: int, code: bytes
) -> None:
    async def script(peer: Peer) -> None:
        await peer.read_to_end()

    sets = ("timeouts.first_byte_s=0.1",)
    async with scripted(script) as upstream, running(upstream.origin, *sets) as gateway:
        got, head, _ = await gateway.ask(request(f"PUT {PATH} HTTP/1.1", *fields))
        assert (got, values(head, b"x-gateway-error")) == (status, [code])


async def test_a_stale_connection_costs_one_more_attempt() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(OK)
        if upstream.connections == 1:
            await peer.read_head()
        else:
            await answering(OK)(peer)

    async with scripted(script) as upstream, running(upstream.origin, grant="none") as gateway:
        for attempts in (1, 2, 1):
            peer = await gateway.dial()
            await peer.send(
                request(f"PUT {PATH} HTTP/1.1", "Expect: 100-continue", "Content-Length: 4")
            )
            assert await peer.read_head() == b"HTTP/1.1 100 Continue\r\n\r\n"
            await peer.send(b"body")
            assert (await peer.read_answer())[0] == 200
            peer.close()
            assert gateway.records[-1].attempts == attempts
    assert upstream.connections == 2


async def test_http_1_0_is_told_whether_its_connection_stays() -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        for asked, told in (("keep-alive", b"keep-alive"), ("close", b"close")):
            line = f"GET {PATH} HTTP/1.0"
            _, head, _ = await gateway.ask(request(line, f"Connection: {asked}"))
            assert values(head, b"connection") == [told]


async def test_a_secret_is_in_no_record_and_no_answer_of_ours() -> None:
    async def script(peer: Peer) -> None:
        head = await peer.read_head()
        # What upstream echoes where a head belongs is its own secret, or another caller's.
        await peer.send(head)

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        status, head, body = await gateway.ask(request(f"GET {PATH}?a=hidden HTTP/1.1"))
        assert status == 502
        for told in (head, body, repr(gateway.records).encode()):
            assert TOKEN.encode() not in told
            assert b"hidden" not in told


@pytest.mark.parametrize(
    ("fields", "stays"),
    [((), True), (("Connection: close",), False), (("Connection: Upgrade", "Upgrade: x"), False)],
)
async def test_the_callers_connection_stays_unless_it_may_not(
    fields: tuple[str, ...], stays: bool
) -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(request(f"GET {PATH} HTTP/1.1", *fields))
        _, head, _ = await peer.read_answer()
        assert values(head, b"connection") == ([] if stays else [b"close"])
        if not stays:
            assert await peer.read_to_end() == b""
        peer.close()


async def test_nothing_is_left_running_after_an_early_answer() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(OK)
        await peer.read_to_end()

    with watched_loop():
        async with scripted(script) as upstream, running(upstream.origin) as gateway:
            peer = await gateway.dial()
            await peer.send(request(f"PUT {PATH} HTTP/1.1", "Content-Length: 999") + b"a")
            assert (await peer.read_answer())[2] == b"ok"
            await gateway.recorder.wait_for(1)
            assert not [task for task in asyncio.all_tasks() if "Upload.stream" in repr(task)]
            peer.close()


async def test_a_caller_that_leaves_while_connecting_leaves_no_connection_behind() -> None:
    connecting, gone = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        connecting.set()
        await peer.read_to_end()
        gone.set()

    async with scripted(script) as upstream:
        # A handshake that nobody answers.
        origin = f"https://127.0.0.1:{upstream.port}"
        async with running(origin) as gateway:
            peer = await gateway.dial()
            await peer.send(request())
            await asyncio.wait_for(connecting.wait(), 5)
            peer.close()
            await asyncio.wait_for(gone.wait(), 5)
            record = await gateway.recorder.wait_for(1)
            assert (record.status, record.attempts, record.upstream_status) == (499, 1, 0)


@pytest.mark.parametrize("early", [False, True], ids=["before the head", "after the head"])
async def test_a_body_that_grows_too_large_is_cut_off(early: bool) -> None:
    ends: list[bytes] = []

    async def script(peer: Peer) -> None:
        await peer.read_head()
        if early:
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegun")
        ends.append(await peer.read_to_end())

    sets = ("limits.max_body_bytes=1000", "limits.replay_body_bytes=10")
    async with scripted(script) as upstream, running(upstream.origin, *sets) as gateway:
        peer = await gateway.dial()
        await peer.send(request(f"PUT {PATH} HTTP/1.1", "Transfer-Encoding: chunked"))
        await peer.send(b"64\r\n" + b"a" * 100 + b"\r\n")
        if early:
            await peer.read_head()
        await peer.send(b"3e8\r\n" + b"a" * 1000 + b"\r\n0\r\n\r\n")
        if early:
            assert await peer.is_cut()
        else:
            status, head, _ = await peer.read_answer()
            assert (status, values(head, b"x-gateway-error")) == (413, [b"body-too-large"])
        peer.close()
        record = await gateway.recorder.wait_for(1)
        assert record.code == "body-too-large"
        assert bool(record.cut) is early
    # An incomplete request must not look complete.
    assert not [end for end in ends if end.endswith(b"0\r\n\r\n")]


async def test_pipelined_requests_are_answered_in_turn_over_one_connection() -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with scripted(answering(OK, seen=seen)) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        lines = [f"PUT {PATH}?n={n} HTTP/1.1" for n in range(12)]
        await peer.send(b"".join(request(line, body=b"x" * n) for n, line in enumerate(lines)))
        for _ in lines:
            assert (await peer.read_answer())[2] == b"ok"
        peer.close()
    assert [head.split(b"\r\n")[0].decode() for head, _ in seen] == lines
    assert [len(body) for _, body in seen] == list(range(12))
    assert upstream.connections == 1


async def test_who_leaves_with_an_early_answer_has_had_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await peer.read_to_end()

    stop = Attempts.stop

    async def stop_slowly(self: Attempts) -> None:
        try:
            await asyncio.sleep(PATIENCE_S)
        finally:
            await stop(self)

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        monkeypatch.setattr(Attempts, "stop", stop_slowly)
        peer = await gateway.dial()
        await peer.send(request(f"POST {PATH} HTTP/1.1", "Content-Length: 200000") + b"x" * 1000)
        assert (await peer.read_answer())[0] == 413
        peer.reset()
        record = await gateway.recorder.wait_for(1)
        assert (record.status, record.bytes_in) == (413, 1000)
        assert gateway.gateway.gate.in_flight == 0

"""Where second attempts end: deadline, budget, circuit, a caller that is gone, an answer begun."""

import asyncio
import socket
from pathlib import Path

import pytest

from gateway.policy import retries
from gateway.policy.circuit import THRESHOLD
from tests.e2e.test_upstreams_tls import AUTHORITY, context_of
from tests.wire import OK, PATH, Peer, Running, answering, request, running, scripted

GET = request(f"GET {PATH} HTTP/1.1")
PUT = request(f"PUT {PATH} HTTP/1.1", body=b"b")
POST = request(f"POST {PATH} HTTP/1.1", body=b"b")
BUSY = b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
LATER = BUSY.replace(b"After: 0", b"After: 2")


async def statuses(gateway: Running, *requests: bytes) -> list[int]:
    """Ask in turn; return the statuses."""
    return [(await gateway.ask(asked))[0] for asked in requests]


async def until_refused(gateway: Running) -> None:
    """Wait until a connect has failed."""
    pool = gateway.gateway.pools["platform"]
    while True:
        if pool._trouble:
            return
        await asyncio.sleep(0)


async def pump(source: Peer, target: Peer) -> None:
    while data := await source.reader.read(65536):
        await target.send(data)
    target.close()


@pytest.mark.parametrize("asked", [GET, PUT, POST], ids=["GET", "PUT", "POST"])
async def test_a_connect_that_failed_is_tried_again_for_any_method(
    asked: bytes, tmp_path: Path
) -> None:
    ca_file = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(ca_file))
    seen: list[tuple[bytes, bytes]] = []
    async with scripted(answering(OK, seen=seen), context_of("127.0.0.1")) as behind:

        async def script(peer: Peer) -> None:
            # The first connection ends while TLS is set up.
            if front.connections > 1:
                far = Peer(*await asyncio.open_connection("127.0.0.1", behind.port))
                try:
                    await asyncio.gather(pump(peer, far), pump(far, peer))
                finally:
                    far.close()
                    await far.writer.wait_closed()

        async with (
            scripted(script) as front,
            running(
                f"https://127.0.0.1:{front.port}", f'upstreams.platform.ca_file="{ca_file}"'
            ) as gateway,
        ):
            assert await statuses(gateway, asked) == [200]
            record = await gateway.recorder.wait_for(1)
    assert (record.attempts, record.retries) == (2, ("connect",))
    assert len(seen) == 1


async def test_a_listener_that_is_replaced_is_not_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    # So long that a busy machine has the new listener within it.
    monkeypatch.setattr(retries, "CONNECT_PAUSE_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with running(f"http://127.0.0.1:{port}") as gateway:
        asking = asyncio.create_task(gateway.ask(POST))
        await until_refused(gateway)
        async with scripted(answering(OK), port=port):
            assert (await asking)[0] == 200
        record = await gateway.recorder.wait_for(1)
    assert (record.attempts, record.retries) == (2, ("connect",))


@pytest.mark.parametrize("asked", [GET, PUT, POST], ids=["GET", "PUT", "POST"])
async def test_a_new_connection_that_breaks_is_no_stale_one(asked: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.read_request()

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        assert await statuses(gateway, asked) == [502]
        record = await gateway.recorder.wait_for(1)
        assert (record.attempts, record.retries, upstream.connections) == (1, (), 1)


@pytest.mark.parametrize("asked", [GET, PUT], ids=["GET", "PUT"])
async def test_an_answer_that_has_begun_is_not_asked_for_again(asked: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(OK)
        await peer.read_request()
        await peer.send(b"HTTP/1.1 200 O")
        await asyncio.sleep(0)
        peer.reset()

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        assert await statuses(gateway, GET, asked) == [200, 502]
        record = await gateway.recorder.wait_for(2)
        assert (record.attempts, record.retries, upstream.connections) == (1, (), 1)


async def test_a_wait_that_is_longer_than_the_deadline_is_the_callers() -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with (
        scripted(answering(LATER, OK, seen=seen)) as upstream,
        running(upstream.origin, "timeouts.first_byte_s=1.5") as gateway,
    ):
        assert await statuses(gateway, GET) == [503]
    assert len(seen) == 1


async def test_an_outage_is_not_multiplied() -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with (
        scripted(answering(BUSY, seen=seen)) as upstream,
        running(upstream.origin) as gateway,
    ):
        assert await statuses(gateway, *[GET] * 20) == [503] * 20
        await gateway.recorder.wait_for(20)
        retried = [len(record.retries) for record in gateway.records]
    # The floor is three, and twenty requests earn two.
    assert retried[:3] == [1, 1, 1]
    assert 3 <= sum(retried) < 10
    assert len(seen) == 20 + sum(retried)


async def test_an_origin_out_of_reach_is_left_alone_and_found_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with running(f"http://127.0.0.1:{port}") as gateway:
        for _ in range(THRESHOLD):
            assert await statuses(gateway, GET) == [502]
        _, head, body = await gateway.ask(POST)
        assert b"X-Gateway-Error: upstream-unreachable" in head
        assert f"http://127.0.0.1:{port} refuses connections; tried again in ".encode() in body
        async with scripted(answering(OK), port=port), asyncio.timeout(10):
            while await statuses(gateway, GET) != [200]:
                pass
            assert await statuses(gateway, GET, POST) == [200, 200]


async def test_a_503_is_waited_for_in_a_queue_whatever_the_method() -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with (
        scripted(answering(BUSY, OK, seen=seen)) as upstream,
        running(upstream.origin, "rates.mode=queue") as gateway,
    ):
        assert await statuses(gateway, POST) == [200]
        assert (await gateway.recorder.wait_for(1)).retries == ("status-503",)
    assert [body for _, body in seen] == [b"b", b"b"]


async def test_nothing_is_sent_again_for_a_caller_that_is_gone() -> None:
    answered = asyncio.Event()
    seen: list[bytes] = []

    async def script(peer: Peer) -> None:
        while True:
            seen.append((await peer.read_request())[0])
            await peer.send(LATER)
            answered.set()

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(GET)
        await asyncio.wait_for(answered.wait(), 10)
        peer.reset()
        record = await gateway.recorder.wait_for(1)
    assert (record.status, record.attempts, len(seen)) == (499, 1, 1)

"""gateway/engine/fast_upload.py: the ways in which an upload ends before its body does."""

import asyncio

import pytest

from gateway.engine.fast_upload import FastUpload
from gateway.engine.long_body import LongBody
from tests.engine.uploading import BODY, HEAD, handed_over, taking, upload_of, warm
from tests.wire import OK, PATH, PATIENCE_S, Peer, request

TOO_LARGE = b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig"


async def test_an_early_answer_reaches_a_caller_that_still_sends() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(OK)
        await peer.read_head()
        await peer.read(100_000)
        await peer.send(TOO_LARGE)

    async with warm(script) as (_, gateway, peer):
        await peer.send(HEAD + BODY[:100_000])
        status, head, body = await peer.read_answer()
        assert (status, body) == (413, b"big")
        assert b"Connection: close" in head
        await peer.send(BODY[100_000:])
        assert await peer.read_to_end() == b""
        assert (await gateway.recorder.wait_for(2)).status == 413


async def test_a_body_that_stops_coming_is_answered_408() -> None:
    cut: list[bytes] = []
    async with warm(taking(cut), "timeouts.body_idle_s=0.1") as (_, gateway, peer):
        await peer.send(HEAD + BODY[:50_000])
        await upload_of(gateway)
        await peer.send(BODY[50_000:100_000])
        status, head, body = await peer.read_answer()
        assert (status, b"Connection: close" in head) == (408, True)
        assert b"body" in body
        record = await gateway.recorder.wait_for(2)
        assert (record.status, record.bytes_in) == (408, 100_000)
    assert cut in ([], [BODY[:100_000]])


async def test_a_body_that_drips_ends_with_the_deadline_as_the_callers_fault() -> None:
    async with warm(taking([]), "timeouts.first_byte_s=0.2") as (_, gateway, peer):
        await peer.send(HEAD)
        upload = await upload_of(gateway)
        await peer.send(BODY[:10])
        status, _, body = await peer.read_answer()
        assert (status, b"the body did not come before the deadline" in body) == (408, True)
        assert upload._task is not None


async def test_a_caller_that_goes_away_cuts_the_request() -> None:
    cut: list[bytes] = []
    async with warm(taking(cut)) as (_, gateway, peer):
        await peer.send(HEAD + BODY[:100_000])
        await upload_of(gateway)
        await asyncio.sleep(0.05)
        peer.reset()
        record = await gateway.recorder.wait_for(2)
        assert (record.status, record.bytes_in) == (499, 100_000)
        assert gateway.gateway.gate.in_flight == 0
        assert gateway.gateway.idle_upstream_connections() == 0
    assert cut in ([], [BODY[:100_000]])


@pytest.mark.parametrize(("first", "status", "asked"), [(30_000, 200, 2), (100_000, 502, 1)])
async def test_a_connection_that_breaks_is_another_ones_only_while_all_is_held(
    first: int, status: int, asked: int
) -> None:
    bodies: list[bytes] = []
    connections, is_asked = 0, asyncio.Event()

    async def script(peer: Peer) -> None:
        nonlocal connections
        connections += 1
        if connections == 1:
            await peer.read_request()
            await peer.send(OK)
            await peer.read_head()
            bodies.append(await peer.read(first))
            peer.reset()
            if asked == 1:
                is_asked.set()
        else:
            is_asked.set()
            bodies.append((await peer.read_request())[1])
            await peer.send(OK)

    async with warm(script) as (_, gateway, peer):
        await peer.send(HEAD + BODY[:first])
        await asyncio.wait_for(is_asked.wait(), PATIENCE_S)
        await peer.send(BODY[first:])
        assert (await peer.read_answer())[0] == status
        assert (await gateway.recorder.wait_for(2)).attempts == asked
    assert bodies == [BODY[:first], BODY][:asked]


async def test_a_shutdown_is_told_once_to_a_caller_that_still_sends() -> None:
    cut: list[bytes] = []
    async with warm(taking(cut), "timeouts.body_idle_s=0.1") as (upstream, gateway, peer):
        await peer.send(request(f"POST {PATH} HTTP/1.1", f"Content-Length: {len(BODY)}"))
        await upload_of(gateway)
        await peer.send(BODY[:100_000])
        await asyncio.sleep(0.05)
        assert gateway.gateway.gate.dismiss() == 1
        # Longer than a body may stall.
        await asyncio.sleep(0.3)
        status, head, _ = await peer.read_answer()
        assert (status, b"Connection: close" in head) == (504, True)
        await peer.send(BODY[100_000:])
        peer.writer.write_eof()
        assert not await peer.is_cut()
        assert [record.status for record in gateway.records] == [200, 504]
        assert (gateway.gateway.gate.in_flight, upstream.connections) == (0, 1)
    assert cut == [BODY[:100_000]]


@pytest.mark.parametrize("where", ["a piece", "the reply", "a stall", "the task"])
async def test_a_bug_is_told_as_one_wherever_it_shows(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(OK)
        await peer.read_head()
        await peer.read(1000)
        if where == "the reply":
            await peer.send(TOO_LARGE)
        await peer.read_to_end()

    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    async with warm(script, "timeouts.body_idle_s=0.2") as (_, gateway, peer):
        await peer.send(HEAD + BODY[:1000])
        upload = await upload_of(gateway)
        if where == "a piece":
            monkeypatch.setattr(LongBody, "receive", fail)
        else:
            monkeypatch.setattr(FastUpload, "_hand_on", fail)
        if where == "the task":
            upstream = upload._upstream
            assert upstream is not None
            upstream.pause_writing()
        if where in ("a piece", "the task"):
            await peer.send(BODY[1000:2000])
        status, head, _ = await peer.read_answer()
        assert (status, b"Connection: close" in head) == (500, True)
        assert isinstance((await gateway.recorder.wait_for(2)).bug, RuntimeError)
        assert gateway.gateway.gate.in_flight == 0


async def test_a_bug_beside_a_task_leaves_the_request_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    async with warm(taking([])) as (_, gateway, peer):
        upload = await handed_over(gateway, peer)
        with monkeypatch.context() as patched:
            patched.setattr(LongBody, "receive", fail)
            with pytest.raises(RuntimeError):
                upload.receive(BODY[10:20])
        assert (len(gateway.records), gateway.gateway.gate.in_flight) == (1, 1)
        peer.reset()
        assert (await gateway.recorder.wait_for(2)).status == 499

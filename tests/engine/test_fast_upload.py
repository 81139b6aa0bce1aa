"""gateway/engine/fast_upload.py: a long body leaves as it comes, whatever becomes of it.

Unless said otherwise an idle upstream connection is at hand, so that no task is needed.
"""

import asyncio
import gc
import weakref

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.engine.fast_lane import MOST_BODY_BYTES
from tests.engine.uploading import BODY, FAST, HEAD, handed_over, taking, upload_of, warm
from tests.wire import OK, PATH, Peer, answering, request, running, scripted


async def test_a_long_body_needs_no_task_and_its_connection_goes_on() -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with warm(answering(OK, seen=seen)) as (upstream, gateway, peer):
        for _ in range(2):
            await peer.send(HEAD)
            upload = await upload_of(gateway)
            for at in range(0, len(BODY), 50_000):
                await peer.send(BODY[at : at + 50_000])
            status, head, _ = await peer.read_answer()
            assert (status, b"Connection" in head) == (200, False)
            assert upload._task is None
        await peer.send(request())
        assert (await peer.read_answer())[0] == 200
        assert upstream.connections == 1
        assert [body for _, body in seen] == [b"", BODY, BODY, b""]
        assert b"Content-Length: %d\r\n" % len(BODY) in seen[1][0]
        await gateway.recorder.wait_for(4)
        assert [record.bytes_in for record in gateway.records] == [0, len(BODY), len(BODY), 0]
        assert {record.attempts for record in gateway.records} == {1}


async def test_without_an_idle_connection_a_task_sends_the_same() -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with (
        scripted(answering(OK, seen=seen)) as upstream,
        running(upstream.origin, FAST) as gateway,
    ):
        peer = await gateway.dial()
        await peer.send(HEAD + BODY[:70_000])
        upload = await upload_of(gateway)
        assert upload._task is not None
        await peer.send(BODY[70_000:] + request())
        assert [(await peer.read_answer())[0] for _ in range(2)] == [200, 200]
        assert [body for _, body in seen] == [BODY, b""]
        assert (await gateway.recorder.wait_for(2)).bytes_in == 0
        assert gateway.records[0].bytes_in == len(BODY)
        peer.close()


@pytest.mark.parametrize("off", [-1, 0, 1, 30])
async def test_what_follows_a_body_is_the_next_request(off: int) -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with warm(answering(OK, seen=seen)) as (_, _, peer):
        sent = HEAD + BODY + HEAD + BODY + request() * 2
        cut = len(HEAD) + len(BODY) + off
        await peer.send(sent[:cut])
        await asyncio.sleep(0.01)
        await peer.send(sent[cut:])
        assert [(await peer.read_answer())[0] for _ in range(4)] == [200] * 4
        assert [body for _, body in seen] == [b"", BODY, BODY, b"", b""]


async def test_a_caller_is_held_up_while_upstream_takes_nothing() -> None:
    go = asyncio.Event()
    size = 40 << 20

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(OK)
        head = await peer.read_head()
        await go.wait()
        assert b"Content-Length: %d\r\n" % size in head
        assert await peer.read(size) == b"x" * size
        await peer.send(OK)

    async with warm(script) as (_, gateway, peer):
        flood = asyncio.create_task(
            peer.send(request(f"PUT {PATH} HTTP/1.1", f"Content-Length: {size}") + b"x" * size)
        )
        upload = await upload_of(gateway)
        _, still = await asyncio.wait((flood,), timeout=0.5)
        assert still
        assert upload._task is not None
        assert upload._source.payload._size < 1 << 20
        go.set()
        assert (await peer.read_answer())[0] == 200
        await flood


async def test_an_answer_that_cannot_be_given_at_once_is_a_tasks() -> None:
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n"

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(OK)
        assert (await peer.read_request())[1] == BODY
        await peer.send(long + b"y" * 100_000)
        await asyncio.sleep(0.01)
        await peer.send(b"y" * 200_000)

    async with warm(script) as (_, gateway, peer):
        await peer.send(HEAD + BODY)
        assert (await peer.read_answer())[2] == b"y" * 300_000
        record = await gateway.recorder.wait_for(2)
        assert (record.status, record.bytes_in, record.bytes_out) == (200, len(BODY), 300_000)


async def test_news_of_the_turn_in_which_a_task_takes_over_are_the_tasks() -> None:
    got: list[bytes] = []
    async with warm(taking(got)) as (_, gateway, peer):
        upload = await handed_over(gateway, peer)
        task, upstream = upload._task, upload._upstream
        assert task is not None
        assert upstream is not None
        assert not upload._source._watch.is_set
        upstream.data_received(OK)
        assert upload._task is task
        assert (await peer.read_answer())[2] == b"ok"
        await gateway.recorder.wait_for(2)
        assert [record.status for record in gateway.records] == [200, 200]
    assert got == [b""]


@pytest.mark.parametrize("ends", ["whole", "gone"])
async def test_nothing_of_an_upload_is_left_for_the_collector_of_garbage(ends: str) -> None:
    async with warm(answering(OK)) as (_, gateway, peer):
        gc.collect()
        gc.disable()
        try:
            await peer.send(HEAD + BODY[:-1])
            upload = await upload_of(gateway)
            left = weakref.ref(upload._upload)
            del upload
            if ends == "whole":
                await peer.send(BODY[-1:])
                await peer.read_answer()
            else:
                peer.reset()
            await gateway.recorder.wait_for(2)
            await asyncio.sleep(0.05)
            assert left() is None
        finally:
            gc.enable()


@pytest.mark.parametrize(("size", "is_restored"), [(60_000, True), (70_000, True), (90_000, False)])
async def test_links_are_restored_in_what_may_be_held_and_only_there(
    size: int, is_restored: bool
) -> None:
    seen: list[tuple[bytes, bytes]] = []
    replay = "limits.replay_body_bytes=80000"
    async with warm(answering(OK, seen=seen), "links.rewrite=on", replay) as (upstream, _, peer):
        host = peer.writer.get_extra_info("peername")[1]
        link = f'"http://127.0.0.1:{host}/restapi/v1.0/x"'.encode()
        body = b"[%b,%b]" % (link, b"1" * size)
        head = request(
            f"PUT {PATH} HTTP/1.1",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            host=f"127.0.0.1:{host}",
        )
        await peer.send(head + body[:20])
        await asyncio.sleep(0.01)
        await peer.send(body[20:])
        assert (await peer.read_answer())[0] == 200
        there = f'"{upstream.origin}/restapi/v1.0/x"'.encode()
        assert seen[-1][1] == (body.replace(link, there) if is_restored else body)


# Lengths of parts of what a caller sends, and whether the gateway has read one before the next.
CUTS = st.lists(st.tuples(st.integers(1, 120_000) | st.integers(1, 300), st.booleans()), max_size=9)
SIZES = st.sampled_from([0, 5, MOST_BODY_BYTES, MOST_BODY_BYTES + 1, 70_000, 140_000, 300_000])


@given(st.lists(SIZES, min_size=1, max_size=3), CUTS)
@settings(max_examples=60, deadline=None)
def test_wherever_a_callers_bytes_are_cut_upstream_gets_the_same_bodies(
    sizes: list[int], cuts: list[tuple[int, bool]]
) -> None:
    bodies = [bytes([65 + at]) * size for at, size in enumerate(sizes)]
    sent = b"".join(
        request(f"PUT {PATH} HTTP/1.1", f"Content-Length: {len(body)}", body=body)
        for body in bodies
    )

    async def run() -> None:
        seen: list[tuple[bytes, bytes]] = []
        async with warm(answering(OK, seen=seen)) as (_, gateway, peer):
            rest = sent
            for size, is_read in cuts:
                await peer.send(rest[:size])
                rest = rest[size:]
                await asyncio.sleep(0.001 if is_read else 0)
            await peer.send(rest)
            assert [(await peer.read_answer())[0] for _ in bodies] == [200] * len(bodies)
            assert [body for _, body in seen[1:]] == bodies
            await gateway.recorder.wait_for(1 + len(sizes))
            assert [record.bytes_in for record in gateway.records[1:]] == sizes

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())

"""Large bodies stream: memory stays, bytes arrive, and who does not read holds the other up."""

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from tests.wire import OK, PATH, PATIENCE_S, Peer, request, running, scripted

MIB = 1 << 20
PIECE = os.urandom(MIB)
# Two connections' buffers on each side, the peers' own, and what the allocator keeps.
ALLOWED = 24 * MIB
# Longer than a transfer that nobody holds up would need to be under way.
PAUSE_S = 0.3


def resident_bytes() -> int:
    """Return the memory of this process, which is the gateway and both peers."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


class Meter:
    """Counts and hashes what arrives; keeps the most memory seen on the way."""

    def __init__(self) -> None:
        self.size = 0
        self.peak = self.start = resident_bytes()
        self._hash = hashlib.blake2b()

    async def take(self, peer: Peer, size: int) -> None:
        while self.size < size:
            data = await asyncio.wait_for(peer.reader.read(MIB), PATIENCE_S)
            assert data, "the body ended early"
            self._hash.update(data)
            if (self.size + len(data)) // (8 * MIB) > self.size // (8 * MIB):
                self.look()
            self.size += len(data)

    def look(self) -> None:
        self.peak = max(self.peak, resident_bytes())

    def check(self, mebibytes: int) -> None:
        expected = hashlib.blake2b()
        for _ in range(mebibytes):
            expected.update(PIECE)
        assert self._hash.digest() == expected.digest()
        assert self.peak - self.start < ALLOWED


async def send_all(peer: Peer, mebibytes: int) -> None:
    for _ in range(mebibytes):
        await peer.send(PIECE)


async def is_held_up(sending: asyncio.Task[None]) -> bool:
    done, _ = await asyncio.wait((sending,), timeout=PAUSE_S)
    return not done


@pytest.mark.parametrize("is_slow", [False, True], ids=["at once", "after a pause"])
async def test_64_mib_go_up(is_slow: bool) -> None:
    meter = Meter()
    go = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await go.wait()
        await meter.take(peer, 64 * MIB)
        await peer.send(OK)
        await peer.read_to_end()

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(request(f"PUT {PATH} HTTP/1.1", f"Content-Length: {64 * MIB}"))
        sending = asyncio.create_task(send_all(peer, 64))
        if is_slow:
            assert await is_held_up(sending)
            meter.look()
        go.set()
        assert (await peer.read_answer())[2] == b"ok"
        await sending
        peer.close()
        assert (await gateway.recorder.wait_for(1)).bytes_in == 64 * MIB
    meter.check(64)


@pytest.mark.parametrize("is_slow", [False, True], ids=["at once", "after a pause"])
async def test_256_mib_come_down(is_slow: bool) -> None:
    sending: list[asyncio.Task[None]] = []
    began = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (256 * MIB))
        sending.append(asyncio.create_task(send_all(peer, 256)))
        began.set()
        await sending[0]
        await peer.read_to_end()

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        meter = Meter()
        peer = await gateway.dial()
        await peer.send(request())
        await peer.read_head()
        await began.wait()
        if is_slow:
            assert await is_held_up(sending[0])
            meter.look()
        await meter.take(peer, 256 * MIB)
        peer.close()
        assert (await gateway.recorder.wait_for(1)).bytes_out == 256 * MIB
        meter.check(256)


async def test_an_echo_streams_both_ways_at_once() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (32 * MIB))
        left = 32 * MIB
        while left:
            data = await peer.reader.read(MIB)
            await peer.send(data)
            left -= len(data)
        await peer.read_to_end()

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        meter = Meter()
        peer = await gateway.dial()
        await peer.send(request(f"PUT {PATH} HTTP/1.1", f"Content-Length: {32 * MIB}"))
        sending = asyncio.create_task(send_all(peer, 32))
        await peer.read_head()
        await meter.take(peer, 32 * MIB)
        await sending
        meter.check(32)
        peer.close()
        record = await gateway.recorder.wait_for(1)
        assert (record.bytes_in, record.bytes_out) == (32 * MIB, 32 * MIB)
        assert record.cut == ""

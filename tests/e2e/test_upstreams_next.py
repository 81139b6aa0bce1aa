"""After whatever an upstream does to one request, the next ones get answers of their own.

Every answer that is right says the target that it is for. A connection that should not
have been used again would show: what is on it is an answer for somebody else.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import pytest

from tests.wire import OK, PATH, Peer, Running, request, running, scripted

SIZE = 100_000
POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n"
# What a caller may get: upstream's answer, ours, or an answer that is cut.
SERVED, FAILED, CUT = 200, 502, 0


@dataclass(frozen=True)
class Manner:
    """What is sent instead of an answer, how the connection ends, what the caller gets."""

    sent: bytes
    gets: int
    end: str = ""


def right(target: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(target) + target


TARGET = PATH.encode() + b"/0"
RIGHT = right(TARGET)
LONG = RIGHT.replace(b"Length: ", b"Length: 9")
MANNERS = {
    "end without a word": Manner(b"", FAILED, "end"),
    "reset without a word": Manner(b"", FAILED, "reset"),
    "end in the head": Manner(RIGHT[:30], FAILED, "end"),
    "reset in the head": Manner(RIGHT[:30], FAILED, "reset"),
    "end in the body": Manner(LONG, CUT, "end"),
    "reset in the body": Manner(LONG, CUT, "reset"),
    "end in a chunk": Manner(CHUNKS[:-2] % (99, TARGET), CUT, "end"),
    "reset between chunks": Manner(CHUNKS % (len(TARGET), TARGET), CUT, "reset"),
    "garbage": Manner(b"\x00\xff" * 500 + b"\r\n\r\n" + RIGHT, FAILED),
    "another protocol": Manner(b"SSH-2.0-OpenSSH_9.6\r\n", FAILED),
    "too many fields": Manner(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1001 + b"\r\n", FAILED),
    "too large a head": Manner(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 66_000, FAILED),
    "two lengths": Manner(RIGHT.replace(b"\r\n\r\n", b"\r\nContent-Length: 1\r\n\r\n"), FAILED),
    "two framings": Manner(RIGHT.replace(b"OK", b"OK\r\nTransfer-Encoding: chunked"), FAILED),
    "a length that is short": Manner(RIGHT + TARGET, SERVED),
    "a second answer": Manner(RIGHT + POISON, SERVED),
    "a second answer after chunks": Manner(
        CHUNKS % (len(TARGET), TARGET) + b"0\r\n\r\n" + POISON, SERVED
    ),
    "a bad chunk": Manner(CHUNKS % (len(TARGET), TARGET) + b"-1\r\n" + POISON, FAILED),
    "switching protocols": Manner(b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + POISON, FAILED),
}


async def serve(peer: Peer, manner: Manner) -> None:
    """Answer rightly, but to the first target in a manner of its own; go on if that is left."""
    while True:
        head, _ = await peer.read_request()
        target = head.split(b" ")[1]
        if target != TARGET:
            await peer.send(right(target))
            continue
        await peer.send(manner.sent)
        if manner.end == "reset":
            # What was sent has arrived when this comes; a reset at once would overtake it.
            await asyncio.sleep(0)
            peer.reset()
        if manner.end:
            return


async def ask(peer: Peer, number: int, body: bytes = b"") -> int:
    """Ask for a target; what is answered as whole must be that target."""
    target = f"{PATH}/{number}"
    line = f"POST {target} HTTP/1.1" if body else f"GET {target} HTTP/1.1"
    try:
        await peer.send(request(line, body=body))
        status, _, answer = await peer.read_answer()
    except (ConnectionError, EOFError):
        return CUT
    if status == SERVED:
        assert target.encode() in answer
        assert b"poison" not in answer
        assert answer.count(PATH.encode()) == 1
    return status


async def fill_pool(gateway: Running, count: int = 3) -> None:
    """Have some idle connections, so that there is more than one to be spoiled."""
    peers = await asyncio.gather(*(gateway.dial() for _ in range(count)))
    statuses = await asyncio.gather(*(ask(peer, 100 + at) for at, peer in enumerate(peers)))
    for peer in peers:
        peer.close()
    assert statuses == [SERVED] * count


@pytest.mark.parametrize("body", [b"", b"x" * SIZE], ids=["GET", "POST"])
@pytest.mark.parametrize("manner", MANNERS.values(), ids=MANNERS)
async def test_the_next_requests_get_their_own_answers(manner: Manner, body: bytes) -> None:
    async with (
        scripted(lambda peer: serve(peer, manner)) as upstream,
        running(upstream.origin) as gateway,
        asyncio.timeout(20),
    ):
        await fill_pool(gateway)
        peer = await gateway.dial()
        first = await ask(peer, 0, body)
        # A reset can overtake what was sent before it.
        assert first == manner.gets or (manner.end == "reset" and first == FAILED)
        if first == CUT:
            peer.close()
            peer = await gateway.dial()
        for number in range(1, 7):
            assert await ask(peer, number, body * (number % 2)) == SERVED
        peer.close()
        await fill_pool(gateway)


@pytest.mark.parametrize("then", ["waits", "reads on", "answers again", "ends", "resets"])
@pytest.mark.parametrize("status", [b"200 OK", b"413 Too Large", b"503 Busy"])
async def test_an_early_answer_leaves_nothing_for_the_next_request(
    status: bytes, then: str
) -> None:
    async def script(peer: Peer) -> None:
        head = await peer.read_head()
        if head.startswith(b"GET"):
            await peer.send(OK)
            return
        await peer.send(RIGHT.replace(b"200 OK", status))
        if then == "waits":
            await peer.read_to_end()
        elif then in ("reads on", "answers again"):
            with suppress(EOFError):
                await peer.read(SIZE)
            await peer.send(POISON if then == "answers again" else b"")
            await peer.read_to_end()
        elif then == "resets":
            await asyncio.sleep(0)
            peer.reset()

    async with (
        scripted(script) as upstream,
        running(upstream.origin) as gateway,
        asyncio.timeout(20),
    ):
        for _ in range(3):
            peer = await gateway.dial()
            await peer.send(
                request(f"POST {PATH}/0 HTTP/1.1", f"Content-Length: {SIZE}") + b"x" * 1000
            )
            code, _, body = await peer.read_answer()
            assert (code, body) == (int(status[:3]), TARGET) or (then, code) == ("resets", FAILED)
            with suppress(ConnectionError):
                await peer.send(b"x" * (SIZE - 1000))
            peer.close()
            assert (await gateway.ask(request()))[::2] == (200, b"ok")

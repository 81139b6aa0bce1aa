"""Many callers, an upstream that misbehaves at random: nobody gets what is another's."""

import asyncio
import random
from contextlib import suppress

from tests.wire import PATH, Peer, Running, request, running, scripted

CALLERS = 24
REQUESTS = 40
# How an upstream treats a request; most are served.
MANNERS = (
    *["whole"] * 12,
    *("chunked", "chunked", "in pieces", "until close", "close after", "close idle"),
    *("surplus", "reset", "end", "garbage", "cut", "cut chunks"),
)


class Moody:
    """An upstream that tells each request its own target, or fails."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    async def __call__(self, peer: Peer) -> None:
        while True:
            head, body = await peer.read_request()
            target = head.split(b" ")[1]
            assert target.endswith(b"&size=%d" % len(body))
            manner = self._random.choice(MANNERS)
            if not await self._treat(peer, manner, target * 200):
                return

    async def _treat(self, peer: Peer, manner: str, said: bytes) -> bool:
        """Answer in one manner; return whether the connection goes on."""
        whole = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(said) + said
        chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (
            len(said),
            said,
        )
        wrong = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
        answers = {
            "chunked": chunks + b"0\r\n\r\n",
            "until close": b"HTTP/1.1 200 OK\r\n\r\n" + said,
            "close after": whole.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"),
            "surplus": whole + wrong,
            "garbage": b"\x00" + whole,
            "cut": whole[:-1],
            "cut chunks": chunks + b"0\r\n",
            "reset": b"",
            "end": b"",
        }
        if manner == "in pieces":
            await peer.send(whole[:30])
            await asyncio.sleep(0)
            await peer.send(whole[30:])
            return True
        await peer.send(answers.get(manner, whole))
        if manner == "reset":
            peer.reset()
        return manner in ("whole", "chunked")


async def call(gateway: Running, number: int, seed: int) -> int:
    """Make requests as one caller; return how many were answered by upstream, whole."""
    chance, served = random.Random(seed + number), 0
    peer = await gateway.dial()
    for turn in range(REQUESTS):
        body = b"x" * chance.choice([0, 0, 10, 3000, 100_000])
        target = f"{PATH}?caller={number}&turn={turn}&size={len(body)}"
        verb = chance.choice(["GET", "POST", "PUT"]) if body else "GET"
        try:
            await peer.send(request(f"{verb} {target} HTTP/1.1", body=body))
            if chance.random() < 0.03:
                raise ConnectionAbortedError
            status, head, answer = await peer.read_answer()
        except (ConnectionError, asyncio.IncompleteReadError):
            with suppress(ConnectionError):
                peer.close()
            peer = await gateway.dial()
            continue
        if status == 200:
            assert answer.count(target.encode()) == 200
            assert b"poison" not in answer
            served += 1
        else:
            assert status == 502
        if b"Connection: close" in head:
            peer.close()
            peer = await gateway.dial()
    peer.close()
    return served


async def test_in_a_storm_nobody_gets_what_is_anothers() -> None:
    async with scripted(Moody(1)) as upstream, running(upstream.origin) as gateway:
        calls = [call(gateway, number, seed=2) for number in range(CALLERS)]
        served = sum(await asyncio.gather(*calls))
        assert served > CALLERS * REQUESTS // 2
        await gateway.recorder.wait_for(CALLERS * REQUESTS)
        assert not [record.bug for record in gateway.records if record.bug is not None]
        assert gateway.gateway.gate.in_flight == 0
        assert gateway.gateway.idle_upstream_connections() <= CALLERS
        assert {record.attempts for record in gateway.records} <= {0, 1, 2}

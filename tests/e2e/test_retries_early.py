"""Answers that come while the body is still on its way, and are a reason to ask again.

The caller goes on sending while the gateway waits for its second attempt. What it sends
then belongs to that attempt, whose body is whole, or there is none.
"""

import asyncio
import json

import pytest

from tests.wire import OK, PATH, Peer, request, running, scripted

LIMIT = "limits.replay_body_bytes=1000"
BEGUN, REST = b"a" * 500, b"b" * 4000
LENGTH = f"Content-Length: {len(BEGUN + REST)}"
BUSY = b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
LIMITED = b"HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"


class Early:
    """An upstream that answers the first request after the beginning of its body."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.answered = asyncio.Event()
        self.completed = asyncio.Event()
        self.token_calls = 0
        self.bodies: list[bytes] = []

    async def __call__(self, peer: Peer) -> None:
        while True:
            head = await peer.read_head()
            if b"/restapi/oauth/token" in head:
                await self._give_token(peer, head)
            elif self.answered.is_set():
                self.bodies.append(await peer.read(len(BEGUN + REST)))
                await peer.send(OK)
            else:
                await peer.read(len(BEGUN))
                await peer.send(self.answer)
                self.answered.set()
                await peer.read_to_end()
                return

    async def _give_token(self, peer: Peer, head: bytes) -> None:
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        await peer.read(length)
        self.token_calls += 1
        if self.token_calls == 2:
            await asyncio.wait_for(self.completed.wait(), 10)
        document = {"access_token": f"token-{self.token_calls}", "expires_in": 3600}
        body = json.dumps(document).encode()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


async def send_slowly(early: Early, line: str, *sets: str, grant: str = "static") -> int:
    """Send the rest of a body when its beginning has been answered; return the status."""
    jwt = (
        "credentials.ringcentral.client_id=literal:id",
        "credentials.ringcentral.jwt=literal:j.w.t",
    )
    more = jwt if grant == "jwt" else ()
    async with (
        scripted(early) as upstream,
        running(upstream.origin, LIMIT, "timeouts.first_byte_s=8", *more, *sets, grant=grant) as (
            gateway
        ),
    ):
        peer = await gateway.dial()
        await peer.send(request(line, LENGTH) + BEGUN)
        await asyncio.wait_for(early.answered.wait(), 10)
        await peer.send(REST)
        early.completed.set()
        status, _, _ = await peer.read_answer()
        peer.close()
    return status


@pytest.mark.parametrize(
    ("line", "answer", "sets"),
    [
        (f"PUT {PATH} HTTP/1.1", BUSY, ()),
        (f"POST {PATH}?_method=DELETE HTTP/1.1", BUSY, ()),
        (f"POST {PATH} HTTP/1.1", BUSY, ("rates.mode=queue",)),
        (f"POST {PATH} HTTP/1.1", LIMITED, ("rates.mode=queue",)),
    ],
    ids=["PUT", "tunnelled DELETE", "POST 503 in queue", "POST 429 in queue"],
)
async def test_what_comes_during_the_wait_is_sent_with_what_came_before(
    line: str, answer: bytes, sets: tuple[str, ...]
) -> None:
    early = Early(answer)
    assert await send_slowly(early, line, *sets) == 200
    assert early.bodies == [BEGUN + REST]


async def test_what_comes_while_a_token_is_renewed_is_sent_with_what_came_before() -> None:
    early = Early(b"HTTP/1.1 401 No\r\nContent-Length: 23\r\n\r\n" + b'{"errorCode":"OAU-128"}')
    assert await send_slowly(early, f"POST {PATH} HTTP/1.1", grant="jwt") == 200
    assert early.bodies == [BEGUN + REST]
    assert early.token_calls == 2


async def test_what_comes_between_the_answer_and_its_repetition_is_not_lost() -> None:
    """A piece that is here in the very turn in which the upload is stopped."""
    body = b"a" * 40_000 + b"b" * 60_000 + b"c" * 200_000
    bodies: list[bytes] = []
    callers: list[Peer] = []
    sent = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        if not bodies:
            bodies.append(await peer.read(40_000))
            peer.writer.write(BUSY.replace(b"After: 1", b"After: 0"))
            await asyncio.sleep(0)
            callers[0].writer.write(body[40_000:100_000])
            sent.set()
            await peer.read_to_end()
        else:
            bodies.append(await peer.read(len(body)))
            await peer.send(OK)

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        callers.append(await gateway.dial())
        await callers[0].send(request(f"PUT {PATH} HTTP/1.1", f"Content-Length: {len(body)}"))
        await callers[0].send(body[:40_000])
        await sent.wait()
        await asyncio.sleep(0.05)
        await callers[0].send(body[100_000:])
        assert (await callers[0].read_answer())[0] == 200
        callers[0].close()
    assert bodies == [body[:40_000], body]

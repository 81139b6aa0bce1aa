"""Stale connections: what is sent again, what is not, and never a third time."""

import asyncio

import pytest

from tests.wire import OK, PATH, Peer, Running, request, running, scripted, values

LIMIT = "limits.replay_body_bytes=1000"
CHUNKED = "Transfer-Encoding: chunked"


class Stale:
    """An upstream whose first connection answers once and fails on the second request."""

    def __init__(self, how: str = "close", *, always: bool = False) -> None:
        self.how = how
        self.always = always
        self.seen: list[bytes] = []
        self.connections = 0
        self.tried_again = asyncio.Event()

    async def __call__(self, peer: Peer) -> None:
        self.connections += 1
        if self.connections == 1:
            await peer.read_request()
            await peer.send(OK)
            await self._fail(peer)
            return
        self.tried_again.set()
        if self.always:
            await self._fail(peer)
            return
        while True:
            head, body = await peer.read_request()
            self.seen.append(head + body)
            await peer.send(OK)

    async def _fail(self, peer: Peer) -> None:
        """Take the next request's head, so that the connection was open when it was sent."""
        self.seen.append(await peer.read_head())
        if self.how == "reset":
            peer.reset()
        elif self.how != "close":
            await peer.send(self.how.encode())


async def after_use(gateway: Running, raw: bytes) -> tuple[int, bytes, bytes]:
    """Ask on the connection that a first request has left in the pool."""
    await gateway.ask(request())
    assert gateway.gateway.idle_upstream_connections() == 1
    return await gateway.ask(raw)


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize(
    "line",
    [
        f"GET {PATH} HTTP/1.1",
        f"OPTIONS {PATH} HTTP/1.1",
        f"PUT {PATH} HTTP/1.1",
        f"DELETE {PATH} HTTP/1.1",
        f"POST {PATH}?_method=PUT HTTP/1.1",
        f"POST {PATH}?_method=DELETE HTTP/1.1",
    ],
)
@pytest.mark.parametrize("body", [b"", b"x" * 1000], ids=["no body", "held body"])
async def test_an_idempotent_request_is_sent_once_more(how: str, line: str, body: bytes) -> None:
    stale = Stale(how)
    async with scripted(stale) as upstream, running(upstream.origin, LIMIT) as gateway:
        status, _, answer = await after_use(gateway, request(line, body=body))
        assert (status, answer) == (200, b"ok")
        assert [record.attempts for record in gateway.records] == [1, 2]
    assert stale.connections == 2
    first, second = stale.seen
    assert second == first + body


async def test_a_chunked_body_that_is_held_is_sent_once_more_with_its_length() -> None:
    stale = Stale()
    async with scripted(stale) as upstream, running(upstream.origin, LIMIT) as gateway:
        raw = request(f"PUT {PATH} HTTP/1.1", CHUNKED) + b"5\r\nhello\r\n0\r\n\r\n"
        assert (await after_use(gateway, raw))[0] == 200
    assert stale.seen[1] == stale.seen[0] + b"hello"


async def test_a_body_of_which_a_part_was_sent_is_sent_again_from_its_beginning() -> None:
    stale = Stale()
    async with scripted(stale) as upstream, running(upstream.origin, LIMIT) as gateway:
        await gateway.ask(request())
        peer = await gateway.dial()
        await peer.send(request(f"PUT {PATH} HTTP/1.1", "Content-Length: 900") + b"a" * 500)
        await asyncio.wait_for(stale.tried_again.wait(), 5)
        await peer.send(b"b" * 400)
        assert (await peer.read_answer())[0] == 200
        peer.close()
    assert stale.seen[1].endswith(b"\r\n\r\n" + b"a" * 500 + b"b" * 400)


@pytest.mark.parametrize(
    ("line", "body"),
    [
        (f"POST {PATH} HTTP/1.1", b""),
        (f"POST {PATH} HTTP/1.1", b"x"),
        (f"PATCH {PATH} HTTP/1.1", b"x"),
        (f"POST {PATH}?_method=PATCH HTTP/1.1", b"x"),
        (f"PUT {PATH} HTTP/1.1", b"x" * 1001),
        (f"POST {PATH}?_method=DELETE HTTP/1.1", b"x" * 300_000),
    ],
    ids=["POST", "POST body", "PATCH", "tunnelled PATCH", "large PUT", "larger DELETE"],
)
@pytest.mark.parametrize("how", ["close", "reset"])
async def test_what_may_have_acted_or_is_not_held_is_sent_once(
    line: str, body: bytes, how: str
) -> None:
    stale = Stale(how)
    async with scripted(stale) as upstream, running(upstream.origin, LIMIT) as gateway:
        status, head, _ = await after_use(gateway, request(line, body=body))
        assert (status, values(head, b"x-gateway-error")) == (502, [b"upstream-broken"])
        assert gateway.records[1].attempts == 1
    assert stale.connections == 1


async def test_a_second_failure_is_the_answer() -> None:
    stale = Stale(always=True)
    async with scripted(stale) as upstream, running(upstream.origin) as gateway:
        assert (await after_use(gateway, request()))[0] == 502
        assert gateway.records[1].attempts == 2
    assert stale.connections == 2


async def test_a_new_connection_that_fails_is_not_tried_again() -> None:
    stale = Stale(always=True)
    stale.connections = 1
    async with scripted(stale) as upstream, running(upstream.origin) as gateway:
        assert (await gateway.ask(request()))[0] == 502
        assert gateway.records[0].attempts == 1
    assert stale.connections == 2


@pytest.mark.parametrize("said", ["H", "HTTP/1.1 200 OK\r\nA:", "HTTP/1.1 100 Continue\r\n\r\n"])
async def test_nothing_is_sent_again_after_the_first_byte_of_a_reply(said: str) -> None:
    stale = Stale(said)
    async with scripted(stale) as upstream, running(upstream.origin) as gateway:
        assert (await after_use(gateway, request()))[0] == 502
    assert stale.connections == 1


async def test_a_timeout_is_not_tried_again() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(OK)
        await peer.read_to_end()

    async with (
        scripted(script) as upstream,
        running(upstream.origin, "timeouts.first_byte_s=0.2") as gateway,
    ):
        assert (await after_use(gateway, request()))[0] == 504
    assert upstream.connections == 1


@pytest.mark.parametrize("verb", ["GET", "POST"])
async def test_a_connection_that_upstream_has_closed_is_not_used(verb: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(OK)

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        for _ in range(20):
            assert (await gateway.ask(request(f"{verb} {PATH} HTTP/1.1")))[0] == 200
        assert {record.attempts for record in gateway.records} <= {1, 2}
        assert verb == "GET" or {record.attempts for record in gateway.records} == {1}


async def test_the_second_attempt_keeps_the_deadline_of_the_first() -> None:
    async def script(peer: Peer) -> None:
        if upstream.connections == 1:
            await peer.read_request()
            await peer.send(OK)
            await peer.read_head()
        else:
            await peer.read_to_end()

    async with (
        scripted(script) as upstream,
        running(upstream.origin, "timeouts.first_byte_s=0.3") as gateway,
    ):
        assert (await after_use(gateway, request()))[0] == 504
        assert gateway.records[1].attempts == 2
        assert gateway.records[1].total_s < 0.6

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.framing import CHUNKED, EMPTY, NO_BODY, UNTIL_CLOSE, Framing
from gateway.core.message import Listener
from gateway.engine.events import Record
from gateway.engine.incoming import Manager
from gateway.engine.inflow import Take
from gateway.engine.relay import DISCARD_BYTES, discard_body, relay_reply
from gateway.engine.splice import Passage
from gateway.engine.upstream import UpstreamConnection
from gateway.engine.wire import Wire
from gateway.errors import UpstreamBroken
from tests.engine.linked import ASK, linked, soon
from tests.engine.spliced import spliced

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


class Caller:
    """A caller that takes what is written; `is_ready` makes it wait."""

    listener = Listener()
    client_address = ""
    listens: Manager
    # No socket.
    wire: Wire | None = None

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.is_ready = asyncio.Event()
        self.is_ready.set()

    @property
    def has_room(self) -> bool:
        return self.is_ready.is_set()

    def write(self, data: bytes, is_whole: bool = False) -> None:
        self.writes.append(data)

    def writelines(self, pieces: tuple[bytes, ...]) -> None:
        self.writes.append(b"".join(pieces))

    async def drain(self) -> None:
        await self.is_ready.wait()

    async def linger(self) -> None:
        pass

    def close_if_idle(self) -> None:
        pass

    def abort(self) -> None:
        pass


async def replying(first: bytes) -> UpstreamConnection:
    """Return a connection on which a reply until close has begun with `first`."""
    upstream = UpstreamConnection(asyncio.get_running_loop())
    upstream.ask("GET", ASK)
    upstream.data_received(HEAD + first)
    await upstream.read_head(soon())
    return upstream


async def relay(framing: Framing, *pieces: bytes, is_cut: bool = False) -> tuple[list[bytes], int]:
    """Return what the caller was written and the counted size of a body in `pieces`."""
    caller, record = Caller(), Record("id", 0.0)
    upstream = await replying(pieces[0] if pieces else b"")
    relaying = asyncio.create_task(relay_reply(caller, upstream, HEAD, framing, 5.0, record))
    for piece in pieces[1:]:
        await asyncio.sleep(0)
        upstream.data_received(piece)
    await asyncio.sleep(0)
    if is_cut:
        upstream.connection_lost(ConnectionResetError())
        with pytest.raises(UpstreamBroken):
            await relaying
    else:
        upstream.eof_received()
        await relaying
    return caller.writes, record.bytes_out


@pytest.mark.parametrize("framing", [NO_BODY, EMPTY])
async def test_a_reply_without_a_body_is_its_head(framing: Framing) -> None:
    caller, record = Caller(), Record("id", 0.0)
    await relay_reply(caller, await replying(b"never given"), HEAD, framing, 5.0, record)
    assert (caller.writes, record.bytes_out) == ([HEAD], 0)


PIECES = st.lists(st.binary(min_size=1, max_size=9), max_size=5)


@given(PIECES)
def test_a_chunked_body_is_what_came_with_an_honest_end(pieces: list[bytes]) -> None:
    writes, size = asyncio.run(relay(CHUNKED, *pieces))
    sent, body = b"".join(writes).removeprefix(HEAD), b""
    while sent != b"0\r\n\r\n":
        length, _, sent = sent.partition(b"\r\n")
        body, sent = body + sent[: int(length, 16)], sent[int(length, 16) + 2 :]
    assert body == b"".join(pieces)
    assert size == len(body)


@given(PIECES)
def test_an_unframed_body_is_what_came(pieces: list[bytes]) -> None:
    writes, size = asyncio.run(relay(UNTIL_CLOSE, *pieces))
    assert b"".join(writes) == HEAD + b"".join(pieces)
    assert size == len(b"".join(pieces))


@given(PIECES)
def test_a_body_that_is_cut_is_not_ended(pieces: list[bytes]) -> None:
    writes, size = asyncio.run(relay(CHUNKED, *pieces, is_cut=True))
    assert not b"".join(writes).endswith(b"\r\n0\r\n\r\n")
    assert size == len(b"".join(pieces))


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=9), st.booleans()), max_size=9))
def test_a_caller_that_takes_nothing_for_a_while_gets_the_same(
    steps: list[tuple[bytes, bool]],
) -> None:
    async def run() -> None:
        caller, record = Caller(), Record("id", 0.0)
        upstream = await replying(b"")
        relaying = asyncio.create_task(
            relay_reply(caller, upstream, HEAD, UNTIL_CLOSE, 5.0, record)
        )
        for piece, is_ready in steps:
            await asyncio.sleep(0)
            (caller.is_ready.set if is_ready else caller.is_ready.clear)()
            upstream.data_received(piece)
        caller.is_ready.set()
        upstream.eof_received()
        await relaying
        body = b"".join(piece for piece, _ in steps)
        assert (b"".join(caller.writes), record.bytes_out) == (HEAD + body, len(body))

    asyncio.run(run())


async def test_what_a_caller_has_no_room_for_is_not_written() -> None:
    caller, record = Caller(), Record("id", 0.0)
    upstream = await replying(b"one")
    relaying = asyncio.create_task(relay_reply(caller, upstream, HEAD, UNTIL_CLOSE, 5.0, record))
    await asyncio.sleep(0)
    upstream.data_received(b"two")
    assert caller.writes == [HEAD + b"one", b"two"]
    caller.is_ready.clear()
    upstream.data_received(b"three")
    assert caller.writes == [HEAD + b"one", b"two"]
    caller.is_ready.set()
    upstream.eof_received()
    await relaying
    assert b"".join(caller.writes) == HEAD + b"onetwothree"


@pytest.mark.parametrize("size", [5, 70_000])
async def test_what_is_here_of_a_body_leaves_with_its_head(size: int) -> None:
    body = b"a" * size
    assert (await relay(UNTIL_CLOSE, body))[0][0] == HEAD + body


@pytest.mark.parametrize(
    ("framing", "whole"), [(CHUNKED, b"5\r\nhello\r\n0\r\n\r\n"), (UNTIL_CLOSE, b"hello")]
)
async def test_a_body_that_is_here_leaves_in_one_write(framing: Framing, whole: bytes) -> None:
    caller, record = Caller(), Record("id", 0.0)
    upstream = await replying(b"hello")
    upstream.eof_received()
    await relay_reply(caller, upstream, HEAD, framing, 5.0, record)
    assert (caller.writes, record.bytes_out) == ([HEAD + whole], 5)


async def test_nothing_is_read_before_the_caller_has_taken_what_it_got() -> None:
    caller, record = Caller(), Record("id", 0.0)
    caller.is_ready.clear()
    upstream = await replying(b"one")
    relaying = asyncio.create_task(relay_reply(caller, upstream, HEAD, UNTIL_CLOSE, 0.01, record))
    await asyncio.sleep(0)
    upstream.data_received(b"two")
    # Far longer than upstream may be silent: the caller is waited for, not upstream.
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(relaying), 0.05)
    assert caller.writes == [HEAD + b"one"]
    upstream.eof_received()
    caller.is_ready.set()
    await relaying
    assert b"".join(caller.writes) == HEAD + b"onetwo"


def chunk(size: int) -> bytes:
    return b"%x\r\n" % size + b"a" * size + b"\r\n"


@pytest.mark.parametrize(
    ("framed", "pieces", "is_reusable"),
    [
        ("Content-Length: 5", [b"hello"], True),
        ("Content-Length: 5", [b"he", b"llo"], True),
        (f"Content-Length: {DISCARD_BYTES}", [b"a" * DISCARD_BYTES], True),
        (f"Content-Length: {DISCARD_BYTES + 1}", [], False),
        ("Transfer-Encoding: chunked", [chunk(5), chunk(DISCARD_BYTES - 5), b"0\r\n\r\n"], True),
        ("Transfer-Encoding: chunked", [chunk(DISCARD_BYTES + 1)], False),
        ("Transfer-Encoding: chunked", [b"no chunk\r\n"], False),
        ("X-Until: close", [], False),
    ],
)
async def test_a_small_body_is_discarded_and_a_large_one_costs_its_connection(
    framed: str, pieces: list[bytes], is_reusable: bool
) -> None:
    async with linked() as (upstream, peer):
        upstream.ask("GET", ASK)
        await peer.send(f"HTTP/1.1 200 OK\r\n{framed}\r\n\r\n".encode())
        reply = await upstream.read_head(soon())
        discarding = asyncio.create_task(discard_body(upstream, reply.framing))
        for piece in pieces:
            await asyncio.sleep(0)
            await peer.send(piece)
        await discarding
        assert upstream.is_reusable() is is_reusable


async def test_a_body_that_does_not_come_is_not_waited_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.engine.relay.DISCARD_S", 0.01)
    async with linked() as (upstream, peer):
        upstream.ask("GET", ASK)
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        reply = await upstream.read_head(soon())
        await discard_body(upstream, reply.framing)
        assert not upstream.is_reusable()


class Asked:
    """A body that ends at once, and keeps by what it could have left."""

    def __init__(self) -> None:
        self.take: Take | None = None

    def take_body(self) -> tuple[bytes, bool]:
        return b"", False

    async def read_body(self, idle_s: float, take: Take | None = None) -> bytes:
        self.take = take
        return b""


@pytest.mark.parametrize("framing", [UNTIL_CLOSE, CHUNKED])
async def test_bytes_may_leave_unseen_only_where_they_need_no_frame(framing: Framing) -> None:
    async with spliced(1) as way:
        wire = way.road.wire
        caller, body = Caller(), Asked()
        caller.wire = wire
        await relay_reply(caller, body, HEAD, framing, 5.0, Record("id", 0.0))
        assert isinstance(body.take, Passage)
        assert body.take.outlet() is (wire if framing is UNTIL_CLOSE else None)
        caller.is_ready.clear()
        assert body.take.outlet() is None

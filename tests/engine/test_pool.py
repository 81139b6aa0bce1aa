import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from gateway.engine import pool as pool_module
from gateway.engine.connect import Connector
from gateway.engine.pool import Pool
from gateway.engine.upstream import UpstreamConnection
from gateway.errors import Overloaded, UpstreamTimeout, UpstreamUnreachable
from gateway.policy.circuit import THRESHOLD
from gateway.policy.routes import Origin
from tests.engine.linked import ASK, end_now, soon
from tests.eventually import eventually
from tests.wire import OK, Peer, answering, scripted


class Far(Peer):
    """The other end of a pooled connection; tells when the pool has ended it."""

    def __init__(self, peer: Peer) -> None:
        super().__init__(peer.reader, peer.writer)
        self._ended = asyncio.Event()

    async def serve(self) -> None:
        try:
            await answering(OK)(self)
        finally:
            self._ended.set()

    async def ended(self) -> None:
        await asyncio.wait_for(self._ended.wait(), 5)


@asynccontextmanager
async def pooled(max_idle: int = 9) -> AsyncIterator[tuple[Pool, list[Far]]]:
    """Make a pool of connections to an upstream that answers; their other ends in order."""
    loop = asyncio.get_running_loop()
    peers: list[Far] = []

    async def script(peer: Peer) -> None:
        peers.append(Far(peer))
        await peers[-1].serve()

    async with scripted(script) as upstream:
        pool = Pool(loop, Connector(loop, Origin("http", "127.0.0.1", upstream.port), 5), max_idle)
        yield pool, peers
        pool.close()
        # The connections end before their upstream does.
        await asyncio.sleep(0)


async def use(connection: UpstreamConnection) -> UpstreamConnection:
    connection.ask("GET", ASK)
    await connection.read_head(soon())
    assert await connection.read_body(5) == b"ok"
    return connection


async def used(pool: Pool, count: int) -> list[UpstreamConnection]:
    """Return connections that have each served once."""
    return [await use(await pool.acquire(soon())) for _ in range(count)]


async def test_the_newest_comes_first() -> None:
    async with pooled() as (pool, _):
        connections = await used(pool, 3)
        for connection in connections:
            pool.release(connection)
        assert pool.idle_count == 3
        assert [await pool.acquire(soon()) for _ in range(3)] == connections[::-1]
        assert pool.idle_count == 0


async def test_a_fresh_one_leaves_the_idle_ones_alone() -> None:
    async with pooled() as (pool, _):
        (old,) = await used(pool, 1)
        pool.release(old)
        new = await pool.acquire(soon(), fresh=True)
        assert new.uses == 0
        assert pool.idle_count == 1
        new.abort()


async def test_no_more_are_kept_than_allowed_and_the_oldest_goes() -> None:
    async with pooled(max_idle=2) as (pool, peers):
        connections = await used(pool, 3)
        for connection in connections:
            pool.release(connection)
        assert pool.idle_count == 2
        assert not connections[0].is_open
        await peers[0].ended()
        assert await pool.acquire(soon()) is connections[2]


async def test_what_cannot_serve_again_is_closed() -> None:
    async with pooled() as (pool, _):
        connection = await pool.acquire(soon())
        connection.ask("GET", ASK)
        pool.release(connection)
        assert pool.idle_count == 0
        assert not connection.is_open


@pytest.mark.parametrize("how", ["speaks", "ends", "resets"])
async def test_what_spoke_or_ended_while_idle_is_passed_over(how: str) -> None:
    async with pooled() as (pool, peers):
        first, second = await used(pool, 2)
        pool.release(first)
        pool.release(second)
        match how:
            case "speaks":
                peers[1].writer.write(OK)
            case "ends":
                end_now(peers[1])
            case _:
                peers[1].reset()
                await asyncio.sleep(0)
        assert await pool.acquire(soon()) is first
        assert not second.is_open


async def test_what_idles_too_long_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "IDLE_S", 0.05)
    async with pooled() as (pool, peers):
        connections = await used(pool, 2)
        for connection in connections:
            pool.release(connection)
        for peer in peers:
            await peer.ended()
        assert pool.idle_count == 0


async def test_the_one_that_came_back_later_is_closed_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool_module, "IDLE_S", 0.1)
    async with pooled() as (pool, peers):
        first, second = await used(pool, 2)
        pool.release(first)
        # Half the time goes by while the second is in use.
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.05)
        pool.release(second)
        await peers[0].ended()
        assert second.is_open
        await peers[1].ended()
        assert pool.idle_count == 0


async def test_a_closed_pool_keeps_nothing() -> None:
    async with pooled() as (pool, peers):
        kept, late = await used(pool, 2)
        pool.release(kept)
        pool.close()
        pool.release(late)
        assert pool.idle_count == 0
        for peer in peers:
            await peer.ended()


class Unreachable:
    """A connector that fails until it is told not to."""

    def __init__(self) -> None:
        self.tries = 0
        self.is_back = False

    async def connect(self, deadline: float) -> UpstreamConnection:
        self.tries += 1
        if not self.is_back:
            raise UpstreamUnreachable("http://nowhere refuses connections", sent=False)
        return UpstreamConnection(asyncio.get_running_loop())


async def test_an_origin_that_cannot_be_reached_is_left_alone_but_for_a_probe() -> None:
    connector = Unreachable()
    pool = Pool(asyncio.get_running_loop(), connector, 10)
    for _ in range(THRESHOLD):
        with pytest.raises(UpstreamUnreachable, match=r"^http://nowhere refuses connections$"):
            await pool.acquire(1e9)
    for _ in range(20):
        with pytest.raises(UpstreamUnreachable, match=r"refuses connections; tried again in"):
            await pool.acquire(1e9)
    assert connector.tries == THRESHOLD
    assert pool.circuit.is_open
    pool.circuit._probe_at = 0.0
    connector.is_back = True
    await pool.acquire(1e9)
    assert not pool.circuit.is_open
    await pool.acquire(1e9)
    assert connector.tries == THRESHOLD + 2
    pool.close()


class Slow:
    """A connector that is still at it when the request's deadline comes."""

    async def connect(self, deadline: float) -> UpstreamConnection:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                await asyncio.Event().wait()
        raise UpstreamTimeout("no connection to http://nowhere in time", sent=False)


async def test_a_connect_that_the_requests_own_deadline_ended_says_nothing_of_the_origin() -> None:
    loop = asyncio.get_running_loop()
    pool = Pool(loop, Slow(), 10)
    for _ in range(THRESHOLD):
        with pytest.raises(UpstreamTimeout):
            await pool.acquire(loop.time())
    assert not pool.circuit.is_open
    pool.close()


async def test_while_the_origin_is_out_of_reach_an_idle_connection_is_better_than_none() -> None:
    async with pooled() as (pool, _):
        (old,) = await used(pool, 1)
        pool.release(old)
        for _ in range(THRESHOLD):
            pool.circuit.fail(asyncio.get_running_loop().time())
        assert await pool.acquire(soon(), fresh=True) is old


async def found_out(pool: Pool) -> str | None:
    """Have a pool look for its origin; return what it then says."""
    pool.probe()
    task = pool._probing
    pool.probe()
    assert pool._probing is task
    if task is not None:
        await asyncio.wait([task])
    return pool.trouble


async def test_an_origin_is_looked_for_until_it_was_reached_and_when_it_is_away() -> None:
    async with pooled() as (pool, peers):
        assert pool.trouble == "not reached yet"
        assert await found_out(pool) is None
        assert pool.idle_count == 1
        connection = pool.take()
        assert connection is not None
        pool.release(await use(connection))
        assert await found_out(pool) is None
        assert (pool.idle_count, len(peers)) == (1, 1)


async def test_what_is_looked_for_in_vain_is_told_and_found_when_it_is_there_again() -> None:
    loop, port = asyncio.get_running_loop(), 0
    async with scripted(answering(OK)) as upstream:
        port = upstream.port
    pool = Pool(loop, Connector(loop, Origin("http", "127.0.0.1", port), 5), 9)
    for _ in range(THRESHOLD):
        assert await found_out(pool) == f"http://127.0.0.1:{port} refuses connections"
    assert pool.circuit.is_open
    async with scripted(answering(OK), port=port) as upstream:
        # As any request does, a look waits until the circuit lets one through.
        assert await found_out(pool) is not None
        assert upstream.connections == 0
        pool.circuit._probe_at = 0.0
        assert await found_out(pool) is None
        assert (upstream.connections, pool.circuit.is_open) == (1, False)
        pool.close()


async def test_an_origin_without_an_idle_connection_is_looked_for_again() -> None:
    async with pooled() as (pool, peers):
        assert await found_out(pool) is None
        end_now(peers[0])
        await peers[0].ended()
        await eventually(lambda: not pool.idle_count)
        assert await found_out(pool) is None
        assert len(peers) == 2


async def test_who_can_open_no_more_files_says_so() -> None:
    class Exhausted:
        async def connect(self, deadline: float) -> UpstreamConnection:
            raise Overloaded("too many open files")

    pool = Pool(asyncio.get_running_loop(), Exhausted(), 9)
    assert await found_out(pool) == "too many open files"


async def test_a_pool_that_is_closed_looks_for_nothing() -> None:
    async with pooled() as (pool, peers):
        pool.probe()
        looking = pool._probing
        assert looking is not None
        pool.close()
        await asyncio.wait([looking])
        assert looking.cancelled()
        assert await found_out(pool) == "not reached yet"
        assert peers == []

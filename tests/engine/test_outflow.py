"""What is written to a caller is taken, or the caller is cut."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.engine.outflow import Outflow
from gateway.engine.wire import Wire
from tests.engine.held import Held

PATIENCE_S = 10.0
TOO_MUCH = b"x" * 20_000_000


@asynccontextmanager
async def outflow(
    client_write_s: float, family: int = socket.AF_INET
) -> AsyncIterator[tuple[Outflow, Held, socket.socket]]:
    loop = asyncio.get_running_loop()
    if family == socket.AF_UNIX:
        ours, theirs = socket.socketpair()
    else:
        with socket.create_server(("127.0.0.1", 0)) as server:
            theirs = socket.create_connection(server.getsockname())
            ours, _ = server.accept()
    theirs.settimeout(PATIENCE_S)
    transport, held = await loop.create_connection(Held, sock=ours)
    flow = Outflow(loop, Wire(transport, loop), client_write_s)
    try:
        yield flow, held, theirs
    finally:
        flow.close()
        transport.abort()
        await asyncio.wait_for(held.lost, PATIENCE_S)
        theirs.close()


def ends_in_reset(sock: socket.socket) -> bool:
    try:
        while sock.recv(1 << 20):
            pass
    except ConnectionResetError:
        return True
    return False


async def test_what_is_written_arrives_and_ends() -> None:
    async with outflow(10) as (flow, _, theirs):
        flow.write(b"hello")
        flow.end()
        assert await asyncio.to_thread(theirs.recv, 100) == b"hello"
        assert await asyncio.to_thread(theirs.recv, 100) == b""


@pytest.mark.parametrize("ending", [False, True])
async def test_who_takes_nothing_is_cut(ending: bool) -> None:
    async with outflow(0.05) as (flow, held, theirs):
        flow.write(TOO_MUCH)
        if ending:
            flow.end()
        await asyncio.wait_for(held.lost, PATIENCE_S)
        assert flow.is_closing
        assert ends_in_reset(theirs)


async def test_a_cut_is_a_reset_even_when_all_was_sent() -> None:
    async with outflow(10) as (flow, held, theirs):
        flow.write(b"hello")
        flow.abort()
        await asyncio.wait_for(held.lost, PATIENCE_S)
        assert ends_in_reset(theirs)


async def test_a_cut_of_a_unix_socket_is_an_end() -> None:
    async with outflow(10, socket.AF_UNIX) as (flow, held, theirs):
        flow.abort()
        await asyncio.wait_for(held.lost, PATIENCE_S)
        assert theirs.recv(100) == b""


async def test_who_takes_something_is_waited_for() -> None:
    loop = asyncio.get_running_loop()
    async with outflow(0.1) as (flow, held, theirs):
        flow.write(TOO_MUCH)
        taken = 0
        start = loop.time()
        while taken < len(TOO_MUCH):
            taken += len(theirs.recv(1 << 20))
            # Each read, and twice the limit in all, takes less than the limit.
            await asyncio.wait({held.lost}, timeout=0.015)
        assert loop.time() - start > 0.2
        assert not held.lost.done()

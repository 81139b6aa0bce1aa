"""gateway/engine/upstream.py: a body that whoever reads it has taken as it comes."""

import asyncio

import pytest

from gateway.errors import UpstreamTimeout
from tests.engine.linked import ASK, linked, soon


async def test_a_body_that_is_taken_as_it_comes_wakes_nobody_until_its_end() -> None:
    async with linked() as (connection, peer):
        connection.ask("GET", ASK)
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        await connection.read_head(soon())
        taken: list[bytes] = []

        def take(data: bytes) -> bool:
            taken.append(data)
            return True

        reading = asyncio.create_task(connection.read_body(0.2, take))
        for piece in (b"abc", b"def"):
            # Together longer than a silence may be: each puts the time off.
            await asyncio.sleep(0.12)
            await peer.send(piece)
        await asyncio.sleep(0.12)
        assert (taken, reading.done()) == ([b"abc", b"def"], False)
        await peer.send(b"ghi")
        assert await reading == b""
        assert taken == [b"abc", b"def", b"ghi"]
        assert await connection.read_body(5, take) == b""
        assert connection.is_reusable()


async def test_a_body_that_is_no_longer_taken_times_out_all_the_same() -> None:
    async with linked() as (connection, peer):
        connection.ask("GET", ASK)
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        await connection.read_head(soon())
        reading = asyncio.create_task(connection.read_body(0.05, lambda _: True))
        await asyncio.sleep(0)
        await peer.send(b"abc")
        with pytest.raises(UpstreamTimeout, match=r"nothing of its body for 0\.05 s"):
            await reading


async def test_what_is_not_taken_is_read_before_what_comes_next() -> None:
    async with linked() as (connection, peer):
        connection.ask("GET", ASK)
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n")
        await connection.read_head(soon())
        offered: list[bytes] = []

        def refuse(data: bytes) -> bool:
            offered.append(data)
            return False

        reading = asyncio.create_task(connection.read_body(5, refuse))
        await asyncio.sleep(0)
        connection.data_received(b"abc")
        connection.data_received(b"d")
        assert await reading == b"abcd"
        assert offered == [b"abc"]
        connection.data_received(b"ef")
        assert await connection.read_body(5) == b"ef"


async def test_who_no_longer_reads_is_given_nothing() -> None:
    async with linked() as (connection, peer):
        connection.ask("GET", ASK)
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n")
        await connection.read_head(soon())
        taken: list[bytes] = []

        def take(data: bytes) -> bool:
            taken.append(data)
            return True

        reading = asyncio.create_task(connection.read_body(5, take))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait((reading,))
        connection.data_received(b"abc")
        assert (taken, connection.take_body()) == ([], (b"abc", False))

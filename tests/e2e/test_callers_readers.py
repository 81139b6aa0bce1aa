"""aiohttp's parser and our own reading of a stream end every head and body at the same byte."""

import asyncio

from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpRequestParser
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.chunked import BadChunk
from gateway.core.framing import NO_BODY
from gateway.engine.boundary import Boundary
from gateway.engine.flaws import find_forgiven, reframe

HEADS = (
    b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
    b"POST /1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
    b"POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
    b"POST /3 HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
)
PIECES = (
    *(b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\n\n", b" ", b"\t", b":", b"a", b"\x00", b"abc"),
    *(b"GET / HTTP/1.1\r\n", b"POST /x HTTP/1.1\r\n", b"GET / HTTP/1.0\r\n", b"Host: h\r\n"),
    *(b"Content-Length: 3\r\n", b"Content-Length: 0\r\n", b"content-length:\t3 \r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"transfer-encoding: CHUNKED\r\n", b"Expect: x\r\n"),
    *(b"0\r\n", b"0\r\n\r\n", b"3\r\nabc\r\n", b"3;x\r\nabc\r\n", b";e=1", b"X: y\r\n"),
    *(b"Connection: close\r\n", b"Connection: upgrade\r\n", b"Upgrade: h2c\r\n"),
    *(b"Trailer: X\r\n", b"OPTIONS * HTTP/1.1\r\n", b"Proxy-Connection: upgrade\r\n"),
)
STREAMS = st.lists(st.one_of(st.sampled_from(HEADS), st.sampled_from(PIECES)), max_size=14)


class Peer(BaseProtocol):
    """Lets a parser run that belongs to no connection."""

    def pause_reading(self) -> None:
        """Do nothing: nothing more comes."""

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Do nothing: nothing was paused."""


class Readers:
    """Both readers of one stream, side by side."""

    def __init__(self, stream: bytes) -> None:
        loop = asyncio.get_running_loop()
        self.parser = HttpRequestParser(
            Peer(loop), loop, 65536, max_field_size=65536, max_headers=1000, auto_decompress=False
        )
        self.boundary = Boundary(65536, 16384)
        self.boundary.receive(stream)
        self.payload: StreamReader = EMPTY_PAYLOAD
        self.heads = 0

    def step(self) -> bool:
        """Read one part; tell whether both go on. Fails when they disagree."""
        try:
            part = self.boundary.take()
            messages, upgraded, _ = self.parser.feed_data(part) if part else ((), True, b"")
        except (BadChunk, HttpProcessingError, ValueError):
            return False
        if upgraded:
            return False
        assert len(messages) <= 1
        for message, payload in messages:
            assert self.payload.is_eof(), "a head within a body"
            if find_forgiven(message, self.boundary.head) is not None:
                return False
            self.check_fields(message.raw_headers)
            self.payload = payload
            framing = NO_BODY if payload is EMPTY_PAYLOAD else reframe(message)
            if framing is None:
                return False
            self.boundary.end_head(framing)
            self.heads += 1
        assert self.boundary.in_body is not self.payload.is_eof()
        return True

    def check_fields(self, fields: tuple[tuple[bytes, bytes], ...]) -> None:
        lines = self.boundary.head[:-4].split(b"\r\n")[1:]
        pairs = (line.partition(b":") for line in lines)
        assert fields == tuple((name, value.strip(b" \t")) for name, _, value in pairs)


@settings(max_examples=1000)
@given(STREAMS)
def test_two_readers_of_one_stream_agree(pieces: list[bytes]) -> None:
    async def read() -> None:
        readers = Readers(b"".join(pieces))
        while readers.step():
            pass

    asyncio.run(read())


def test_the_readers_get_through_whole_requests() -> None:
    async def read() -> int:
        readers = Readers(HEADS[0] + HEADS[1] + b"X: y\r\n\r\n" + HEADS[2] + HEADS[0])
        while readers.step():
            pass
        return readers.heads

    assert asyncio.run(read()) == 4

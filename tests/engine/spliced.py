"""Two connections with a body on its way from one to the other, for the tests of splices."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from gateway.engine.pipes import pipes
from gateway.engine.splice import Passage, Splice, begin_splice
from gateway.engine.wire import Wire
from tests.engine.held import Held
from tests.eventually import PATIENCE_S, eventually


class Road(Passage):
    """Takes a body to `wire`; while it is not `is_open` it takes nothing."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.is_open = True
        self.counted = 0

    def __call__(self, data: bytes) -> bool:
        if self.is_open:
            self.count(len(data))
            self.wire.write(data)
        return self.is_open

    def outlet(self) -> Wire | None:
        return self.wire if self.is_open else None

    def count(self, size: int) -> None:
        self.counted += size


class Body(asyncio.Protocol):
    """A body of so many bytes, as who receives it knows it; `kept` is what nobody took."""

    def __init__(self, size: int) -> None:
        self._loop = asyncio.get_running_loop()
        self.inlet: Wire | None = None
        self.left = size
        self.road: Road | None = None
        self.splice: Splice | None = None
        # Sizes of what was read, and of what went by.
        self.read: list[int] = []
        self.went_by: list[int] = []
        self.kept = b""
        self.is_broken = False
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.inlet = Wire(cast(asyncio.Transport, transport), self._loop)

    def data_received(self, data: bytes) -> None:
        self.read.append(len(data))
        self.left -= len(data)
        if self.kept or self.road is None or not self.road(data):
            self.kept += data
        elif self.left:
            self.begin()

    def begin(self) -> None:
        self.splice = begin_splice(self._loop, self, self.road)

    def let_by(self, size: int) -> None:
        self.went_by.append(size)
        self.left -= size

    def put_back(self, data: bytes) -> None:
        self.left -= len(data)
        self.kept += data

    def note_broken(self) -> None:
        self.is_broken = True

    def eof_received(self) -> None:
        self.ended.set()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.splice is not None:
            self.splice.stop()
        self.ended.set()


class Way:
    """A body, the road that it takes, and the two far ends, which are the test's."""

    def __init__(self, body: Body, sender: socket.socket, reader: socket.socket) -> None:
        self.body = body
        self.sender = sender
        self.reader = reader
        self._loop = asyncio.get_running_loop()

    @property
    def road(self) -> Road:
        assert self.body.road is not None
        return self.body.road

    async def send(self, data: bytes) -> None:
        await asyncio.wait_for(self._loop.sock_sendall(self.sender, data), PATIENCE_S)

    async def receive(self, size: int) -> bytes:
        """Return what arrives: so many bytes, fewer when there is an end."""
        taken = bytearray()
        async with asyncio.timeout(PATIENCE_S):
            while len(taken) < size and (
                data := await self._loop.sock_recv(self.reader, min(65536, size - len(taken)))
            ):
                taken += data
        return bytes(taken)

    async def until_spliced(self) -> Splice:
        """Wait until a splice waits."""
        await eventually(lambda: self.body.splice is not None and not self.body.splice.is_over)
        assert self.body.splice is not None
        return self.body.splice


def _pair(family: int) -> tuple[socket.socket, socket.socket]:
    """Return a connected pair, neither of which waits."""
    if family == socket.AF_UNIX:
        ends = socket.socketpair()
    else:
        with socket.create_server(("127.0.0.1", 0)) as server:
            theirs = socket.create_connection(server.getsockname())
            ends = (server.accept()[0], theirs)
    for end in ends:
        end.setblocking(False)
    return ends


@asynccontextmanager
async def spliced(size: int, family: int = socket.AF_INET) -> AsyncIterator[Way]:
    """Connect two ends with a body of so many bytes between them."""
    loop = asyncio.get_running_loop()
    (inlet, sender), (outlet, reader) = _pair(family), _pair(family)
    transport, held = await loop.create_connection(Held, sock=outlet)
    road = Road(Wire(transport, loop))
    _, body = await loop.create_connection(lambda: Body(size), sock=inlet)
    body.road = road
    try:
        yield Way(body, sender, reader)
    finally:
        if body.splice is not None:
            body.splice.stop()
        assert body.inlet is not None
        body.inlet.abort()
        road.wire.abort()
        await asyncio.wait_for(held.lost, PATIENCE_S)
        await asyncio.wait_for(body.ended.wait(), PATIENCE_S)
        sender.close()
        reader.close()


def pipes_in_use() -> int:
    """Return how many pipes of this process have something to move."""
    return pipes.count


def opened() -> int:
    """Return how many descriptors this process has."""
    return len(os.listdir("/proc/self/fd"))

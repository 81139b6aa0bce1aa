"""Real peers on loopback that speak scripted bytes, and a gateway between them.

`Peer` is one end of a TCP connection with nothing but bytes. `scripted` is an upstream
whose every connection is played by a coroutine. `running` is the gateway, in this
process, on a port of its own, with every request's record kept.

Rule: nothing here sleeps; whoever waits, waits for bytes, an end or an event.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeAlias, cast

import uvloop

from gateway.app import Gateway, make_credentials
from gateway.config.load import load
from gateway.engine.events import Record
from gateway.stores.memory import MemoryStore
from tests.unheard import Unheard

# Far more than any test needs; reached only by a test that hangs.
PATIENCE_S = 20.0
TOKEN = "wire-token"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PATH = "/restapi/v1.0/account/~"


class Peer:
    """One end of a TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        """Send bytes and wait until the kernel has them."""
        self.writer.write(data)
        await self.writer.drain()

    async def read(self, size: int) -> bytes:
        """Return exactly `size` bytes."""
        return await asyncio.wait_for(self.reader.readexactly(size), PATIENCE_S)

    async def read_head(self) -> bytes:
        """Return a head with its empty line."""
        return await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE_S)

    async def read_request(self) -> tuple[bytes, bytes]:
        """Return a head and its body, framed by Content-Length or chunked, as sent."""
        head = await self.read_head()
        return head, await self._read_framed(head)

    async def read_answer(self, method: str = "GET") -> tuple[int, bytes, bytes]:
        """Return the status, head and body (unframed from chunks: raw) of an answer."""
        head = await self.read_head()
        status = int(head.split(b" ", 2)[1])
        if method == "HEAD" or status in (204, 304) or status < 200:
            return status, head, b""
        if b"content-length" in head.lower() or b"transfer-encoding" in head.lower():
            return status, head, await self._read_framed(head)
        return status, head, await self.read_to_end()

    async def read_to_end(self) -> bytes:
        """Return all bytes up to the other side's end, orderly or not."""
        data = bytearray()
        with suppress(ConnectionError):
            while piece := await asyncio.wait_for(self.reader.read(65536), PATIENCE_S):
                data += piece
        return bytes(data)

    async def is_cut(self) -> bool:
        """Tell whether the other side ends the connection by a reset, dropping what comes."""
        try:
            while await asyncio.wait_for(self.reader.read(65536), PATIENCE_S):
                pass
        except ConnectionError:
            return True
        return False

    def close(self) -> None:
        """End the connection in order."""
        self.writer.close()

    def reset(self) -> None:
        """End the connection with a reset."""
        sock = cast(socket.socket, self.writer.get_extra_info("socket"))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def _read_framed(self, head: bytes) -> bytes:
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                return await self.read(int(line.partition(b":")[2]))
        if b"\r\ntransfer-encoding: chunked\r\n" not in head.lower():
            return b""
        body = b""
        while not body.endswith(b"0\r\n\r\n"):
            line = await asyncio.wait_for(self.reader.readuntil(b"\r\n"), PATIENCE_S)
            body += line + await self.read(int(line.partition(b";")[0], 16) + 2)
        return body


Script: TypeAlias = Callable[[Peer], Awaitable[None]]


@dataclass
class Upstream:
    """A scripted upstream; `connections` counts those accepted."""

    port: int = 0
    connections: int = 0
    failures: list[BaseException] = field(default_factory=list)
    scheme: str = "http"

    @property
    def origin(self) -> str:
        """Return its URL."""
        return f"{self.scheme}://127.0.0.1:{self.port}"


@asynccontextmanager
async def scripted(
    script: Script, tls: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[Upstream]:
    """Serve every connection with `script`; a failing script fails the test at the end."""
    upstream = Upstream(scheme="https" if tls else "http")
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream.connections += 1
        task = cast("asyncio.Task[None]", asyncio.current_task())
        tasks.add(task)
        try:
            await script(Peer(reader, writer))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # The gateway or the test ended the connection, which is its right.
        except Exception as failure:  # noqa: BLE001 (raised again when the test ends)
            upstream.failures.append(failure)
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port, limit=2**20, ssl=tls)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()
        # Again and again: asyncio's `wait_for` before 3.12 may lose a cancellation.
        while tasks:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tuple(tasks), timeout=0.1)
    if upstream.failures:
        raise upstream.failures[0]


def answering(*answers: bytes, seen: list[tuple[bytes, bytes]] | None = None) -> Script:
    """Return a script that answers requests in turn, the last answer again and again."""

    async def script(peer: Peer) -> None:
        turn = 0
        while True:
            request = await peer.read_request()
            if seen is not None:
                seen.append(request)
            await peer.send(answers[min(turn, len(answers) - 1)])
            turn += 1

    return script


@dataclass
class Recorder(Unheard):
    """Keeps the record of every request, and lets a test wait for the next."""

    records: list[Record] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def finished(self, record: Record) -> None:
        """Keep a record (the engine calls this)."""
        self.records.append(record)
        self._changed.set()

    async def wait_for(self, count: int) -> Record:
        """Return the `count`-th record once it is there, counted from 1."""
        while len(self.records) < count:
            self._changed.clear()
            await asyncio.wait_for(self._changed.wait(), PATIENCE_S)
        return self.records[count - 1]


@dataclass
class Running:
    """A gateway under test."""

    gateway: Gateway
    port: int
    recorder: Recorder

    @property
    def records(self) -> list[Record]:
        """Return the records of finished requests."""
        return self.recorder.records

    async def dial(self) -> Peer:
        """Return a new connection to the gateway."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**20)
        return Peer(reader, writer)

    async def ask(self, request: bytes, method: str = "GET") -> tuple[int, bytes, bytes]:
        """Send one request on a connection of its own; return status, head and body."""
        peer = await self.dial()
        try:
            await peer.send(request)
            return await peer.read_answer(method)
        finally:
            peer.close()


@contextmanager
def watched_loop() -> Iterator[None]:
    """Fail the test when the event loop hears of an exception that nobody caught."""
    uncaught: list[dict[str, object]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: uncaught.append(context))
    yield
    assert not uncaught


@asynccontextmanager
async def running(
    origin: str, *sets: str, grant: str = "static", environ: Mapping[str, str] | None = None
) -> AsyncIterator[Running]:
    """Run a gateway with `origin` as platform and media; `sets` are `--set` arguments.

    On uvloop it has its fast lane, on asyncio the main lane alone: so every test that runs on
    both loops runs in both lanes.
    """
    fast_lane = isinstance(asyncio.get_running_loop(), uvloop.Loop)
    token = [f'credentials.ringcentral.token="literal:{TOKEN}"'] if grant == "static" else []
    loaded = load(
        [],
        [
            'listener.bind="127.0.0.1:0"',
            f'upstreams.platform.origin="{origin}"',
            f'upstreams.media.origin="{origin}"',
            f'credentials.ringcentral.grant="{grant}"',
            *token,
            f"engine.fast_lane={str(fast_lane).lower()}",
            *sets,
        ],
        environ or {},
    )
    recorder = Recorder()
    credentials = make_credentials(loaded.config, environ or {}, recorder, MemoryStore())
    gateway = Gateway(loaded.config, credentials, recorder, environ)
    await gateway.open()
    try:
        with watched_loop():
            yield Running(gateway, cast(int, gateway.binds[0].port), recorder)
    finally:
        await gateway.abort()


def request(
    line: str = f"GET {PATH} HTTP/1.1",
    *fields: str,
    body: bytes = b"",
    host: str = "localhost",
) -> bytes:
    """Return a request; a body gets a Content-Length unless a field frames it."""
    names = {name.partition(":")[0].lower() for name in fields}
    lines = [line, *([f"Host: {host}"] if "host" not in names else []), *fields]
    if body and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def fields_of(head: bytes) -> list[tuple[bytes, bytes]]:
    """Return the fields of a head, in order, names as sent."""
    pairs = (line.partition(b": ") for line in head[:-4].split(b"\r\n")[1:])
    return [(name, value) for name, _, value in pairs]


def values(head: bytes, name: bytes) -> Sequence[bytes]:
    """Return the values of a field, by lower-case name."""
    return [value for given, value in fields_of(head) if given.lower() == name]

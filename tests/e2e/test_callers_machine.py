"""Connections that are used in any way: what is complete is answered once, in order, as its own.

hypothesis opens connections, writes requests onto them whole or in parts, pipelined or one
by one, reads answers now or later, and cuts connections anywhere. The upstream writes down
every request that it saw to its end.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import uvloop
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, rule

from gateway.core.chunked import ChunkedReader
from tests.wire import PATH, Peer, Running, request, running, scripted

T = TypeVar("T")
# Nothing, something, what a request does not hold of a body, and more than a read.
SIZES = st.sampled_from([0, 1, 300, 70_000, 300_000])
# "again" has the same head each time, and is soon known by it.
KINDS = st.sampled_from(
    [
        *("GET", "length", "chunked", "override", "nowhere", "empty lines"),
        *("again", "again", "again"),
    ]
)
LAST = request("GET /nowhere HTTP/1.1", "Connection: close")


def essence(name: bytes, body: bytes) -> bytes:
    """Return what the upstream answers to a request of that name and body."""
    return name + b":" + hashlib.blake2b(body).hexdigest().encode()


def body_of(number: int, size: int) -> bytes:
    return (b"%d;" % number * size)[:size]


def chunk(body: bytes, first: int) -> bytes:
    """Return a body in two chunks, with an extension and a trailer."""
    pieces = [piece for piece in (body[:first], body[first:]) if piece]
    chunks = b"".join(b"%x;a=b\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return chunks + b"0\r\nX-Trailer: a\r\n\r\n"


def make(kind: str, number: int, size: int) -> tuple[bytes, tuple[int, bytes]]:
    """Return a request, and the status and the essence of its answer."""
    target, body = f"{PATH}/{number}", body_of(number, size)
    right = (200, essence(b"%d" % number, body))
    match kind:
        case "again":
            body = b"%06d" % number
            return request(f"PUT {PATH}/again HTTP/1.1", body=body), (200, essence(body, body))
        case "length":
            return request(f"PUT {target} HTTP/1.1", body=body), right
        case "chunked":
            coded = chunk(body, size // 3)
            return request(f"POST {target} HTTP/1.1", "Transfer-Encoding: chunked", body=coded), (
                right
            )
        case "override":
            line = f"POST {target} HTTP/1.1"
            return request(line, "X-HTTP-Method-Override: DELETE", body=body), right
        case "nowhere":
            return request("GET /nowhere HTTP/1.1"), (404, b"")
        case _:
            lines = b"\r\n\r\n" if kind == "empty lines" else b""
            return lines + request(f"GET {target} HTTP/1.1"), (200, essence(b"%d" % number, b""))


@dataclass
class Line:
    """A caller's connection: what is still to be sent, and the answers that are due."""

    peer: Peer
    unsent: bytes = b""
    sent: int = 0
    read: int = 0
    # Where each request ends, its number, and what its answer is to be.
    asked: list[tuple[int, int, tuple[int, bytes]]] = field(default_factory=list)

    def put(self, number: int, sent: bytes, answer: tuple[int, bytes]) -> None:
        self.unsent += sent
        self.asked.append((self.sent + len(self.unsent), number, answer))

    def send(self, size: int) -> None:
        self.peer.writer.write(self.unsent[:size])
        self.sent += len(self.unsent[:size])
        self.unsent = self.unsent[size:]

    @property
    def complete(self) -> int:
        return sum(end <= self.sent for end, _, _ in self.asked)

    async def read_answer(self) -> None:
        _, _, (status, told) = self.asked[self.read]
        code, _, body = await self.peer.read_answer()
        assert code == status
        assert status != 200 or body == told
        self.read += 1


class Connections(RuleBasedStateMachine):
    """The machine; a gateway and an upstream of its own for each run."""

    new_loop: ClassVar[Callable[[], asyncio.AbstractEventLoop]] = asyncio.new_event_loop
    lines: Bundle[Line] = Bundle("lines")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=type(self).new_loop)
        self.stack = AsyncExitStack()
        self.open: list[Line] = []
        self.count = 0
        self.seen: Counter[int] = Counter()
        self.answered: set[int] = set()
        self.cut_short: set[int] = set()
        self.gateway: Running = self.run(self._open())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(coroutine)

    @initialize(target=lines)
    def begin(self) -> Line:
        return self._dial()

    @rule(target=lines)
    def dial(self) -> Line:
        return self._dial()

    def _dial(self) -> Line:
        line = Line(self.run(self.gateway.dial()))
        self.open.append(line)
        return line

    @rule(line=lines, requests=st.lists(st.tuples(KINDS, SIZES), min_size=1, max_size=4))
    def put(self, line: Line, requests: list[tuple[str, int]]) -> None:
        for kind, size in requests:
            self.count += 1
            line.put(self.count, *make(kind, self.count, size))

    @rule(line=lines, kind=KINDS, size=SIZES)
    def ask(self, line: Line, kind: str, size: int) -> None:
        self.put(line, [(kind, size)])
        self.send_all(line)

    @rule(line=lines, share=st.floats(0, 1))
    def send_part(self, line: Line, share: float) -> None:
        line.send(int(len(line.unsent) * share))
        self.run(asyncio.sleep(0))

    @rule(line=lines, size=st.integers(1, 5))
    def send_little(self, line: Line, size: int) -> None:
        line.send(size)
        self.run(asyncio.sleep(0))

    @rule(line=lines)
    def send_all(self, line: Line) -> None:
        line.send(len(line.unsent))

    @rule(line=lines)
    def read(self, line: Line) -> None:
        if line.read < line.complete:
            self.run(line.read_answer())

    @rule(line=consumes(lines), reset=st.booleans())
    def cut(self, line: Line, reset: bool) -> None:
        self.run(self._cut(line, reset))

    def teardown(self) -> None:
        try:
            self.run(self._finish())
        finally:
            self.run(self.stack.aclose())
            self.runner.close()

    async def _open(self) -> Running:
        upstream = await self.stack.enter_async_context(scripted(self._answer))
        return await self.stack.enter_async_context(running(upstream.origin))

    async def _answer(self, peer: Peer) -> None:
        while True:
            head, body = await peer.read_request()
            if b"transfer-encoding" in head.lower():
                body = b"".join(ChunkedReader().feed(body))
            name = head.split(b" ")[1].rpartition(b"/")[2]
            name = body if name == b"again" else name
            self.seen[int(name)] += 1
            told = essence(name, body)
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(told) + told)

    async def _cut(self, line: Line, reset: bool) -> None:
        self.open.remove(line)
        self._note(line)
        if reset:
            line.peer.reset()
        else:
            line.peer.close()
            await asyncio.sleep(0)

    def _note(self, line: Line) -> None:
        """Take note of what was answered, and of what can never be complete."""
        self.answered |= {number for _, number, _ in line.asked[: line.read]}
        self.cut_short |= {number for _, number, _ in line.asked[line.complete :]}

    async def _finish(self) -> None:
        for line in self.open:
            for _ in range(line.read, line.complete):
                await line.read_answer()
            if not line.unsent:
                # Nothing was answered twice, and nothing that was not asked.
                line.peer.writer.write(LAST)
                assert (await line.peer.read_answer())[0] == 404
                assert await line.peer.read_to_end() == b""
            self._note(line)
            line.peer.close()
        await self.gateway.gateway.gate.emptied()
        assert not self.cut_short & set(self.seen)
        assert set(self.seen.values()) <= {1}
        assert not [record.bug for record in self.gateway.records if record.bug is not None]


class UvloopConnections(Connections):
    """The same on the event loop in service."""

    new_loop = uvloop.new_event_loop


# Thirty runs, and more of them when more is looked for. To shrink a failure would take minutes.
_SETTINGS = settings(
    max_examples=settings().max_examples * 3 // 10,
    stateful_step_count=40,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
TestConnections = Connections.TestCase
TestConnections.settings = _SETTINGS
TestUvloopConnections = UvloopConnections.TestCase
TestUvloopConnections.settings = _SETTINGS

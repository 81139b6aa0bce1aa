"""One request of a caller's connection, in the shapes that aiohttp's loop handles.

aiohttp's connection loop takes a request object and gets a response object back. Ours
carry only what the loop touches, so that no URL, mapping or client object is made per
request.

Rule 1: an `Incoming` is made by the server, used by one exchange and dropped.
Rule 2: an exchange sees its connection through `Connection` alone.
"""

from __future__ import annotations

import asyncio
from typing import Protocol, TypeAlias

from aiohttp.http import HttpVersion11, RawRequestMessage
from aiohttp.streams import StreamReader
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from gateway.config.model import Limits, Timeouts
from gateway.core.field_places import places_of
from gateway.core.message import Listener, RawHead
from gateway.core.plain_head import parse_plain_head
from gateway.engine.events import Record
from gateway.engine.inflow import Take
from gateway.engine.known import Known, Restore
from gateway.engine.wire import Wire
from gateway.errors import GatewayError
from gateway.pipeline import AnsweredHere
from gateway.policy.forward import Plan


def target_of(message: RawRequestMessage) -> bytes:
    """Return the bytes of the request-target that aiohttp parsed."""
    # Of a CONNECT without a target llhttp says nothing, and aiohttp then None.
    path: str | None = message.path
    return b"" if path is None else path.encode("utf-8", "surrogateescape")


def version_of(message: RawRequestMessage) -> bytes:
    """Return the version as a request line has it, such as `HTTP/1.1`."""
    version = message.version
    return b"HTTP/1.1" if version == HttpVersion11 else b"HTTP/%d.%d" % tuple(version)


class Heads(Protocol):
    """What was decided about heads; `known_heads.py` has the only one."""

    def recall(self, head: bytes) -> Known | None:
        """Return what is known of a head's bytes."""
        ...

    def find_whole(self, data: bytes) -> tuple[bytes, Known, bytes] | None:
        """Return the head of the one known request that `data` is, what is known, and the body."""
        ...

    def decide(
        self, raw: RawHead, head: bytes, record: Record, now: float
    ) -> tuple[Plan | AnsweredHere, Restore]:
        """Return what is decided about a head, and what its body passes through."""
        ...


# The bytes of a head, who was asked about them when they came, and what that knew; and the whole
# body, where nothing was parsed.
HeadRead: TypeAlias = tuple[bytes, Heads | None, Known | None, bytes | None]
# Stands for what aiohttp would parse of a request that was recalled: one of HTTP/1.1 that asks for
# no end of the connection, and is no HEAD.
RECALLED = RawRequestMessage(
    *("", "", HttpVersion11, CIMultiDictProxy(CIMultiDict()), ()),
    *(False, None, False, False, URL()),
)


class Manager(Protocol):
    """What is needed of the server that took a connection; `server.py` has the only one."""

    is_leaving: bool

    @property
    def heads(self) -> Heads:
        """Return what is known of the heads that come by it."""
        ...


class Connection(Protocol):
    """What an exchange needs of a caller's connection, in whichever lane that is."""

    listener: Listener
    client_address: str

    @property
    def listens(self) -> Manager:
        """Return what took it; once that is leaving, the connection ends with its answer."""

    @property
    def has_room(self) -> bool:
        """Tell whether the caller takes what is written."""

    @property
    def wire(self) -> Wire | None:
        """Return what it is written to by, None when it is gone."""

    def write(self, data: bytes, is_whole: bool = False) -> None:
        """Write to the caller, maybe a whole answer."""
        ...

    def writelines(self, pieces: tuple[bytes, ...]) -> None:
        """Write pieces that leave together."""
        ...

    async def drain(self) -> None:
        """Wait until the caller has taken enough to be sent more."""
        ...

    async def linger(self) -> None:
        """Write no more, and drop what still comes in for a while."""
        ...

    def close_if_idle(self) -> None:
        """Close the connection when no next request has begun."""
        ...

    def abort(self) -> None:
        """Cut the connection."""
        ...


class Source(Protocol):
    """What bodies are read from; `body_source.py` has what it does in either lane."""

    async def read_body(
        self, payload: StreamReader, deadline: float, take: Take | None = None
    ) -> bytes:
        """Return the next bytes of a request body, b"" at its end.

        Those that `take` takes while this waits are not returned.
        """
        ...


class BodyConnection(Connection, Protocol):
    """A connection by which bodies come that are not whole yet."""

    @property
    def bodies(self) -> Source:
        """Return what they are read from."""


class Call(Protocol):
    """What is served: one request, whichever lane it came in."""

    flaw: GatewayError | None

    @property
    def connection(self) -> Connection:
        """Return the connection that it came by."""

    @property
    def is_head(self) -> bool:
        """Tell whether the answer has no body."""

    @property
    def is_last(self) -> bool:
        """Tell whether the connection may end with this request."""

    @property
    def is_old(self) -> bool:
        """Tell whether it speaks HTTP/1.0."""

    @property
    def is_read(self) -> bool:
        """Tell whether all that the caller sent of it has been taken in."""


class Gate(Protocol):
    """What a connection needs of the exchange side."""

    limits: Limits
    timeouts: Timeouts

    @property
    def is_swamped(self) -> bool:
        """Tell whether a surplus connection is not even to be answered."""
        ...

    def admit(self) -> GatewayError | None:
        """Count a connection in; return why it must be turned away."""
        ...

    def leave(self, *, was_told: bool = False) -> None:
        """Count a connection out."""
        ...

    async def handle(self, incoming: Incoming) -> Outcome:
        """Serve one request, or answer its `flaw`; write the whole answer."""
        ...


class Incoming:
    """A request as aiohttp parsed it, or the `flaw` that stopped the parser."""

    __slots__ = (
        *("_known", "_knows", "_task", "body", "connection", "flaw", "head", "listens"),
        *("looks_like_head", "message", "payload"),
    )

    def __init__(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        connection: BodyConnection,
        listens: Manager,
        read: HeadRead | None = None,
    ) -> None:
        """Take what aiohttp parsed, and what was noted when its head was read."""
        self.head, self._knows, self._known, self.body = read or (b"", None, None, None)
        self.message = message
        self.payload = payload
        self.connection = connection
        self.listens = listens
        self.flaw: GatewayError | None = None
        # Of a flawed request only: the beginning of its line says HEAD.
        self.looks_like_head = False
        self._task: asyncio.Task[None] | None = None

    @property
    def known(self) -> Known | None:
        """Return what is known of the head, None also when another policy knew it."""
        return self._known if self._knows is self.listens.heads else None

    @property
    def is_head(self) -> bool:
        """Tell whether the answer has no body."""
        return self.looks_like_head or self.message.method == "HEAD"

    @property
    def is_last(self) -> bool:
        """Tell whether the connection may end with this request.

        A declined upgrade leaves aiohttp's parser unsure of what follows it.
        """
        return bool(self.message.should_close) or bool(self.message.upgrade)

    @property
    def is_old(self) -> bool:
        """Tell whether it speaks HTTP/1.0."""
        return self.message.version < HttpVersion11

    @property
    def is_read(self) -> bool:
        """Tell whether all that the caller sent of it has been taken in."""
        return self.flaw is None and self.payload.is_eof()

    def _finish(self) -> None:
        """Let go of what came: aiohttp keeps a request until the next one comes."""
        self.head, self.body = b"", None

    def _cancel(self, exc: BaseException) -> None:
        """Wake whoever reads the body; the connection is gone."""
        self.payload.set_exception(exc)


def read_head(incoming: Incoming) -> RawHead:
    """Return what aiohttp parsed, or would have, as the bytes that it read."""
    message = incoming.message
    if message is RECALLED:
        raw = parse_plain_head(incoming.head, incoming.connection.listener)
        if raw is not None:
            return raw
    return RawHead(
        message.method.encode(),
        target_of(message),
        version_of(message),
        message.raw_headers,
        incoming.connection.listener,
        # The parser takes no name that is not a token.
        places_of(message.raw_headers),
    )


class Outcome:
    """What aiohttp's loop asks of a response; ours is already written."""

    __slots__ = ("keep_alive",)

    def __init__(self, keep_alive: bool) -> None:
        self.keep_alive = keep_alive

    async def prepare(self, request: object) -> None:
        """Do nothing: the head has left."""

    async def write_eof(self) -> None:
        """Do nothing: the body has left."""

"""A caller's connection while its requests are plain; the others are the main lane's.

Bytes that are exactly one plain request are served here, by `FastCall`, and those that begin one
with a long body by `FastUpload`, which gets what follows. Anything else is
handed over before a byte of it is consumed: aiohttp then parses the same bytes, and the
connection stays with it.

Rule 1: the connection is handed over only between requests.
Rule 2: it is counted in and out exactly once, whoever has it.
Rule 3: no head is judged here: `known_heads.py` and the main lane do that.
"""

from __future__ import annotations

import asyncio
from typing import cast

from gateway.core.message import Listener
from gateway.engine.fast_call import FastCall
from gateway.engine.fast_lane import FastLane
from gateway.engine.fast_upload import FastUpload
from gateway.engine.incoming import Manager
from gateway.engine.linger import Linger
from gateway.engine.listen import address_of
from gateway.engine.outflow import Outflow, Outgoing
from gateway.engine.pressure import Pressed, Pressure
from gateway.engine.watch import Watch
from gateway.engine.wire import Wire

# A request whose parts were sent one after the other comes together within this; it is less
# than a person, or a deadline, would notice.
PARTS_S = 0.05
# What is read of next requests before the answer to this one is out.
MOST_WAITING_BYTES = 65536


class FastConnection(Outgoing, Pressed, asyncio.Protocol):
    """One accepted connection."""

    __slots__ = (
        *("_call", "_ending", "_head_by", "_held", "_lane", "_linger", "_loop"),
        *("_outflow", "_parts_by", "_pressure", "_reading_paused", "_upload", "_watch"),
        *("client_address", "listener", "listens", "transport"),
    )

    def __init__(self, manager: Manager, lane: FastLane, listener: Listener) -> None:
        self.listener = listener
        self.client_address = ""
        self.listens = manager
        self._lane = lane
        self._loop = asyncio.get_running_loop()
        self._watch = Watch(self._loop)
        self._linger = Linger(self._loop)
        self.transport: Wire | None = None
        self._outflow: Outflow | None = None
        self._call: FastCall | None = None
        # The same, while its body has not come to its end.
        self._upload: FastUpload | None = None
        # What came and is not served yet.
        self._held = b""
        # Of the first head: by when it is to be whole.
        self._head_by = 0.0
        self._parts_by = 0.0
        self._ending = False
        self._reading_paused = False
        self._pressure = Pressure(self._loop)

    # The exchange's side.

    async def linger(self) -> None:
        """Say that no more will be written, and drop what still comes in for a while."""
        self._ending = True
        if self._outflow is None or self._outflow.is_closing:
            return
        self.resume_reading()
        self._outflow.end()
        await self._linger.wait()

    @property
    def is_caught_up(self) -> bool:
        """Tell whether all that came has been served, as far as is known."""
        return not (self._held or self._reading_paused or self._upload)

    @property
    def connected(self) -> bool:
        """Tell whether more may come."""
        return self.transport is not None

    def pause_reading(self) -> None:
        """Read no more for now."""
        if not self._reading_paused and self.transport is not None:
            self._reading_paused = True
            self.transport.pause_reading()

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Go on reading; the buffer of a long body calls this, too, as aiohttp's do."""
        if self._reading_paused and self.transport is not None:
            self._reading_paused = False
            self.transport.resume_reading()

    def served(self, *, keep: bool) -> None:
        """Go on with a next request, or close; the call is over."""
        self._call = None
        if self._upload is not None:
            self._end_upload()
        transport = self.transport
        if not keep:
            # RFC 9112 section 9.6: what follows the last request is not one.
            self._held = b""
        if transport is None:
            return
        is_closing = transport.is_closing
        if is_closing():
            return
        if not keep:
            transport.close()
        elif self._held:
            self.resume_reading()
            self._serve()
        else:
            wait_s = self._lane.gate.outfit.keepalive_s
            self._watch.set(self._loop.time() + wait_s, self.close_if_idle)

    # The server's side.

    def close_if_idle(self) -> None:
        """Close the connection when it waits for a next request and none has begun."""
        if self.transport is not None and self._call is None and not self._held:
            self.transport.close()

    def hand_over_begun(self) -> None:
        """Leave a request that is not whole to the main lane."""
        if self._call is None and self._held:
            self._hand_over()

    # The event loop's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection in, unless there is no room: the main lane says so."""
        gate = self._lane.gate
        self.transport = Wire(cast(asyncio.Transport, transport), self._loop)
        if not gate.has_room:
            self._hand_over()
            return
        gate.admit()
        self.client_address = address_of(transport, self.listener)
        self._lane.connections.add(self)
        self._outflow = Outflow(self._loop, self.transport, gate.timeouts.client_write_s)
        self._head_by = self._loop.time() + gate.timeouts.head_s
        self._watch.set(self._head_by, self.close_if_idle)

    def data_received(self, data: bytes) -> None:
        """Serve a request that is whole and plain."""
        if self._ending:
            self._linger.go_on()
            return
        if self._upload is not None:
            data = self._receive_body(self._upload, data)
            if not data:
                return
        self._held = self._held + data if self._held else data
        if self._call is None:
            self._serve()
        elif len(self._held) > MOST_WAITING_BYTES:
            self.pause_reading()

    def eof_received(self) -> bool:
        """Close, but for an answer to what could not be served.

        A caller that ends its half of the connection cannot be told from one that is gone.
        """
        if self._outflow is not None:
            # The event loop closes its transport after this, and knows nothing of what is held.
            self._outflow.flush()
        self._linger.end()
        return self._ending

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection, and what is under way on it."""
        outflow, call, held = self._outflow, self._call, self._held
        self._forget()
        self._linger.close()
        self.resume_writing()
        if outflow is not None:
            outflow.close()
            self._lane.gate.leave()
        if call is not None:
            call.abandon()
        elif (known := self._lane.find_begun(held)) is not None:
            # Its head was read, so there is a record of it.
            call = FastCall(self, self._lane.gate, known, b"", self._loop)
            call.begin()
            call.abandon()

    def _serve(self) -> None:
        """Serve what is held, wait for the rest of it, or hand the connection over."""
        lane, data = self._lane, self._held
        found = None if self.listens.is_leaving else lane.find(data)
        if found is None:
            if not self._may_wait():
                self._hand_over()
            return
        self._held, self._head_by = b"", 0.0
        if self._parts_by:
            # Any other watch finds that a call is under way, and does nothing.
            self._parts_by = 0.0
            self._watch.clear()
        known, body = found
        if len(body) == known.length:
            self._call = call = FastCall(self, lane.gate, known, body, self._loop)
            call.start()
        else:
            self._call = self._upload = upload = FastUpload(self, lane.gate, known, self._loop)
            upload.start()
            if body:
                self._receive_body(upload, body)

    def _receive_body(self, upload: FastUpload, data: bytes) -> bytes:
        """Take what is the body's, and return what comes after it."""
        rest = upload.receive(data)
        if upload.is_read:
            self._upload = None
        return rest

    def _may_wait(self) -> bool:
        """Tell whether the rest of what is held may still come; watch that it does."""
        now = self._loop.time()
        self._parts_by = self._parts_by or now + PARTS_S
        self._watch.set(self._parts_by, self._hand_over)
        return (
            now < self._parts_by
            and not self.listens.is_leaving
            and self._lane.may_grow_plain(self._held)
        )

    def _hand_over(self) -> None:
        """Give the connection, and what came on it, to the main lane."""
        wire, outflow, held = self.transport, self._outflow, self._held
        head_by = self._head_by or self._loop.time() + self._lane.gate.timeouts.head_s
        if wire is None or wire.is_closing():
            return
        self.resume_reading()
        self._forget()
        if outflow is not None:
            outflow.close()
        main = self._lane.make_main(None if outflow is None else head_by)
        wire.set_protocol(main)
        main.connection_made(cast(asyncio.Transport, wire))
        if not self.has_room:
            main.pause_writing()
        if held:
            main.data_received(held)

    def _forget(self) -> None:
        self._lane.connections.discard(self)
        self._watch.close()
        self._end_upload()
        self.transport = self._outflow = self._call = None
        self._held = b""

    def _end_upload(self) -> None:
        """Wait for nothing more of a body."""
        if self._upload is not None:
            self._upload.close()
            self._upload = None

"""What is written to a caller, and whether the caller takes it.

The event loop buffers what the kernel does not take. A caller that takes nothing for
`client_write_s` is cut, also when the whole answer is in the buffer already and the
connection only waits for it to leave.

Rule: an answer that is not whole ends in a reset. Only that tells an HTTP/1.0 caller,
whose body ends with the connection, from a whole one. A Unix socket knows no reset: there
such a caller cannot tell a cut from an end, and any other sees that its framing is not
complete. A caller that pipelines loses with it what it has not read of the answers before.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress

from gateway.engine.incoming import Manager
from gateway.engine.watch import Watch
from gateway.engine.wire import Wire

# struct linger { on, 0 seconds }: closing sends RST and drops what is unsent (socket(7)).
_RESET = struct.pack("ii", 1, 0)


class Outflow:
    """The outgoing half of one connection."""

    __slots__ = (*("_client_write_s", "_loop", "_stall", "_taken", "wire", "write"), "writelines")

    def __init__(self, loop: asyncio.AbstractEventLoop, wire: Wire, client_write_s: float) -> None:
        self._loop = loop
        self.wire = wire
        self._client_write_s = client_write_s
        self._stall = Watch(loop)
        self._taken = 0
        # Sends bytes; what the kernel does not take is watched.
        self.write = wire.write
        self.writelines = wire.writelines
        wire.on_backlog = self._note_backlog

    @property
    def is_closing(self) -> bool:
        """Tell whether the connection is on its way out."""
        return self.wire.is_closing()

    def flush(self) -> None:
        """Send now what would leave at the end of the turn."""
        self.wire.send()

    def take_over(self) -> None:
        """Watch what somebody else has written and the caller has not taken."""
        if self.wire.get_write_buffer_size():
            self._watch()

    def end(self) -> None:
        """Tell the caller that no more will come, once all has left."""
        with suppress(OSError, RuntimeError):
            self.wire.write_eof()

    def abort(self) -> None:
        """Cut the connection with a reset, after what was written.

        A caller that gets a reset and nothing else may take it for that of an idle connection, and
        send its request again, whatever it was.
        """
        wire = self.wire
        wire.send()
        sock = wire.get_extra_info("socket")
        if sock is not None and sock.family != socket.AF_UNIX:
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        wire.abort()

    def close(self) -> None:
        """Watch no more; the connection is gone, or another's."""
        self.wire.on_backlog = None
        self._stall.close()

    def _note_backlog(self) -> None:
        if not self._stall.is_set:
            self._watch()

    def _watch(self) -> None:
        self._taken = self.wire.taken_bytes
        self._stall.set(self._loop.time() + self._client_write_s, self._check)

    def _check(self) -> None:
        if not self.wire.get_write_buffer_size():
            return
        if self.wire.taken_bytes > self._taken:
            self._watch()
        else:
            self.abort()


class Outgoing:
    """What an exchange does to a connection in either lane; nothing, when that is gone."""

    __slots__ = ()

    listens: Manager
    _outflow: Outflow | None

    @property
    def wire(self) -> Wire | None:
        """Return what the connection is written to by, None when it is gone."""
        return None if self._outflow is None else self._outflow.wire

    def write(self, data: bytes, is_whole: bool = False) -> None:
        """Write to the caller, and watch that the caller takes it."""
        if self._outflow is not None:
            # By a local name, as in `Wire`.
            write = self._outflow.write
            write(data, is_whole)

    def writelines(self, pieces: tuple[bytes, ...]) -> None:
        """Write pieces that leave together."""
        if self._outflow is not None:
            self._outflow.writelines(pieces)

    def abort(self) -> None:
        """Cut the connection, so that what was sent cannot look complete."""
        if self._outflow is not None:
            self._outflow.abort()

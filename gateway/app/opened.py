"""Bound sockets by the binds that the configuration names, and what becomes of them at a change.

A bind is known again by its text, so that a port that the system chose stays. What is new
is opened before anything else changes, all or none.

Rule: who serves the sockets, and in which process, is not known here.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.config.binds import Bind
from gateway.engine.listen import CannotBind, open_sockets
from gateway.engine.server import Server
from gateway.engine.unix_socket import SocketFile, files_of


@dataclass(slots=True, eq=False)
class Opened:
    """One configured bind with its sockets, and who serves them."""

    configured: Bind
    sockets: list[socket.socket]
    files: list[SocketFile] = field(default_factory=list)
    servers: list[Server] = field(default_factory=list)
    listening: list[asyncio.Server] = field(default_factory=list)
    binds: list[Bind] = field(init=False)

    def __post_init__(self) -> None:
        """Note where it is, which a closed socket does not tell."""
        self.binds = [self._bind_of(sock) for sock in self.sockets]

    def close(self) -> None:
        """Stop listening at once."""
        self.remove_files()
        for listening in self.listening:
            listening.close()
        if not self.listening:
            for sock in self.sockets:
                sock.close()

    def remove_files(self) -> None:
        """Remove the files of Unix sockets, so that nobody finds them any more."""
        for file in self.files:
            file.remove()

    def _bind_of(self, sock: socket.socket) -> Bind:
        if self.configured.path is not None:
            return self.configured
        host, port = sock.getsockname()[:2]
        return Bind(host=host, port=port)


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of the binds: all that will be there, those new among them, those gone."""

    after: list[Opened]
    new: list[Opened]
    gone: list[Opened]

    def discard(self) -> None:
        """Close what was opened for it."""
        for opened in self.new:
            opened.close()


async def prepare(opened: Sequence[Opened], binds: Sequence[Bind]) -> Change:
    """Open what of `binds` is not open; raises `CannotBind`, and has opened nothing then."""
    before = list(opened)
    change = Change([], [], before)
    try:
        for bind in binds:
            found = next((one for one in before if one.configured == bind), None)
            if found is None:
                found = await _open(bind, opened)
                change.new.append(found)
            else:
                before.remove(found)
            change.after.append(found)
    except BaseException:
        change.discard()
        raise
    return change


async def _open(bind: Bind, opened: Sequence[Opened]) -> Opened:
    try:
        sockets = await open_sockets(bind)
    except CannotBind as error:
        held = (where for one in opened for where in one.binds)
        holder = next((where for where in held if where.port and where.port == bind.port), None)
        if not error.is_taken or holder is None:
            raise
        raise CannotBind(
            f"cannot listen on {bind}: this gateway itself holds the port, as {holder}; "
            "choose another port, or restart the gateway to change the address of this one",
            is_taken=True,
        ) from None
    return Opened(bind, sockets, files_of(sockets))

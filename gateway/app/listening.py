"""The sockets that callers connect to, by the binds that the configuration names.

At a change the binds that stay keep their sockets, and every connection on them. New ones
are opened before anything else changes, all or none, and served after it; those that are
gone take in what has reached them, and end each connection with its next answer.

Rule 1: a bind is known again by its text, so that a port the system chose stays.
Rule 2: who is served, and how, is the gate's business.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.config.binds import Bind
from gateway.engine.drain import stop_accepting
from gateway.engine.gate import GRACE_S, Gate
from gateway.engine.listen import BACKLOG, CannotBind, listener_of, open_sockets
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


class Listening:
    """All listeners of a gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._loop = asyncio.get_running_loop()
        self._opened: list[Opened] = []
        self._leaving: list[Server] = []
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def binds(self) -> list[Bind]:
        """Return where it listens, or did when it stopped."""
        return [bind for opened in self._opened for bind in opened.binds]

    @property
    def listening(self) -> list[asyncio.Server]:
        """Return what accepts connections."""
        return [listening for opened in self._opened for listening in opened.listening]

    @property
    def servers(self) -> list[Server]:
        """Return all that may have connections, also those that accept none any more."""
        self._leaving = [server for server in self._leaving if server.connections]
        return [server for opened in self._opened for server in opened.servers] + self._leaving

    async def prepare(self, binds: Sequence[Bind]) -> Change:
        """Open what of `binds` is not open; raises `CannotBind`, and has opened nothing then."""
        before = list(self._opened)
        change = Change([], [], before)
        try:
            for bind in binds:
                found = next((one for one in before if one.configured == bind), None)
                if found is None:
                    found = await self._open(bind)
                    change.new.append(found)
                else:
                    before.remove(found)
                change.after.append(found)
        except BaseException:
            change.discard()
            raise
        return change

    async def commit(self, change: Change) -> None:
        """Serve what is new, and let go of what is gone."""
        self._opened = change.after
        for opened in change.new:
            await self._serve(opened)
        if change.gone:
            self._leaving += [server for opened in change.gone for server in opened.servers]
            task = self._loop.create_task(self._leave(change.gone))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def remove_files(self) -> None:
        """Remove the files of Unix sockets."""
        for opened in self._opened:
            opened.remove_files()

    def close(self) -> None:
        """Accept nothing any more, at once."""
        for opened in self._opened:
            opened.close()

    async def settle(self) -> None:
        """Give up what waits for connections that are gone; call it when there are none."""
        for task in self._closing:
            task.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def _open(self, bind: Bind) -> Opened:
        try:
            sockets = await open_sockets(bind)
        except CannotBind as error:
            holder = self._holder_of(bind.port)
            if not error.is_taken or holder is None:
                raise
            raise CannotBind(
                f"cannot listen on {bind}: this gateway itself holds the port, as {holder}; "
                "choose another port, or restart the gateway to change the address of this one",
                is_taken=True,
            ) from None
        return Opened(bind, sockets, files_of(sockets))

    def _holder_of(self, port: int | None) -> Bind | None:
        return next((bind for bind in self.binds if port and bind.port == port), None)

    async def _serve(self, opened: Opened) -> None:
        for sock in opened.sockets:
            server = Server(self._gate, listener_of(sock))
            opened.servers.append(server)
            create = (
                self._loop.create_unix_server
                if sock.family == socket.AF_UNIX
                else self._loop.create_server
            )
            opened.listening.append(await create(server, sock=sock, backlog=BACKLOG))

    async def _leave(self, gone: Sequence[Opened]) -> None:
        for opened in gone:
            opened.remove_files()
            for server in opened.servers:
                server.is_leaving = True
        listening = [listening for one in gone for listening in one.listening]
        try:
            await stop_accepting(listening)
        finally:
            for one in listening:
                one.close()
        # A request may be on its way on a connection that looks idle.
        await asyncio.sleep(GRACE_S)
        for opened in gone:
            for server in opened.servers:
                server.close_idle()

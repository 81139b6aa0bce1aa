"""The sockets that callers connect to, served by a gate.

At a change the binds that stay keep their sockets, and every connection on them. New ones
are served after it; those that are gone take in what has reached them, and end each
connection with its next answer.

Rule 1: who is served, and how, is the gate's business.
Rule 2: a socket that other processes serve too is left as it is: their connections are not ours.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Sequence

from gateway.app.opened import Change, Opened, prepare
from gateway.config.binds import Bind
from gateway.engine.drain import stop_accepting
from gateway.engine.gate import GRACE_S, Gate
from gateway.engine.listen import BACKLOG, listener_of
from gateway.engine.server import Server


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
        self._leaving = [server for server in self._leaving if not server.is_empty]
        return [server for opened in self._opened for server in opened.servers] + self._leaving

    async def prepare(self, binds: Sequence[Bind]) -> Change:
        """Open what of `binds` is not open; raises `CannotBind`, and has opened nothing then."""
        return await prepare(self._opened, binds)

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

    async def _serve(self, opened: Opened) -> None:
        for sock in opened.sockets:
            server = Server(self._gate, listener_of(sock))
            opened.servers.append(server)
            opened.listening.append(await self._listen(server, sock))

    async def _listen(self, server: Server, sock: socket.socket) -> asyncio.Server:
        if sock.family != socket.AF_UNIX:
            return await self._loop.create_server(server, sock=sock, backlog=BACKLOG)
        if sys.version_info < (3, 13):
            return await self._loop.create_unix_server(server, sock=sock, backlog=BACKLOG)
        # We remove the file ourselves, and only the process that made it does.
        return await self._loop.create_unix_server(
            server, sock=sock, backlog=BACKLOG, cleanup_socket=False
        )

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

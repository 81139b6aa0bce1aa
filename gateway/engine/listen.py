"""Opening the sockets that callers connect to.

Sockets are bound before anything serves them, so that a port in use is one clear line
and exit 71, and so that port 0 has become a real one when the names of the listener are
compared with Host.

Rule: nothing here decides who may connect; the configuration has done that.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from pathlib import Path

from gateway.config.binds import Bind
from gateway.core.message import Listener
from gateway.policy.callers import is_loopback

# The kernel caps it at net.core.somaxconn; bursts wait there while the loop is busy.
BACKLOG = 4096


class CannotBind(Exception):
    """A listener could not be opened; the text names it and says why."""


async def open_sockets(bind: Bind) -> list[socket.socket]:
    """Return bound sockets for every address of `bind`, or raise `CannotBind`."""
    try:
        if bind.path is not None:
            return [_open_unix(Path(bind.path))]
        return await _open_tcp(bind)
    except OSError as error:
        raise cannot_bind(bind, error) from None


def cannot_bind(bind: Bind, error: OSError) -> CannotBind:
    """Return the clear line for a listener that could not be opened."""
    return CannotBind(f"cannot listen on {bind}: {_explain(error)}")


def listener_of(sock: socket.socket) -> Listener:
    """Return what requests are told of the socket they arrived by."""
    if sock.family == socket.AF_UNIX:
        return Listener()
    host, port = sock.getsockname()[:2]
    return Listener(port, is_loopback(str(host).encode()))


async def _open_tcp(bind: Bind) -> list[socket.socket]:
    infos = await asyncio.get_running_loop().getaddrinfo(
        bind.host, bind.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    opened: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(infos):
            opened += _open_address(family, address, is_only=len(infos) == 1 or not opened)
    except BaseException:
        for sock in opened:
            sock.close()
        raise
    return opened


def _open_address(family: int, address: tuple[object, ...], is_only: bool) -> list[socket.socket]:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        # `localhost` often names ::1 on machines that have no IPv6.
        if is_only or error.errno != errno.EADDRNOTAVAIL:
            raise
        return []
    return [sock]


def _open_unix(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.is_socket() and not _is_answered(path):
            path.unlink()
        sock.bind(str(path))
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


def _is_answered(path: Path) -> bool:
    """Tell whether another process still listens here; a killed one leaves its file behind."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(str(path)) == 0


def _explain(error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return "the address is in use by another process; stop it or choose another"
        case errno.EACCES:
            return "permission denied; ports below 1024 and some folders need more rights"
        case errno.EADDRNOTAVAIL:
            return "this machine does not have that address"
        case _:
            return error.strerror or str(error)

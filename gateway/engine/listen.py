"""Opening the sockets that callers connect to.

Sockets are bound before anything serves them, so that a port in use is one clear line
and exit 71, and so that port 0 has become a real one when the names of the listener are
compared with Host.

Rule: nothing here decides who may connect; the configuration has done that.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path

from gateway.config.binds import Bind
from gateway.core.message import Listener
from gateway.engine.unix_socket import open_unix
from gateway.policy.callers import is_loopback

# The kernel caps it at net.core.somaxconn; bursts wait there while the loop is busy.
BACKLOG = 4096
# An address, or a whole family of them, that this machine does not have.
_NOT_HERE = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})

# From Linux's asm-generic/socket.h; Python's socket module has no name for it.
_SO_ATTACH_FILTER = 26
# A classic BPF program (linux/filter.h: code, jump if true, jump if false, operand) over a TCP
# segment: load the byte of the flags; SYN set: drop the segment, else let it pass.
_DROP_SYN = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 65535))
)


class CannotBind(Exception):
    """A listener could not be opened; the text names it and says why.

    `is_taken` tells that somebody has the address already.
    """

    def __init__(self, text: str, *, is_taken: bool = False) -> None:
        super().__init__(text)
        self.is_taken = is_taken


async def open_sockets(bind: Bind) -> list[socket.socket]:
    """Return bound sockets for every address of `bind`, or raise `CannotBind`."""
    try:
        if bind.path is not None:
            return [open_unix(Path(bind.path), BACKLOG)]
        return await _open_tcp(bind)
    except OSError as error:
        raise cannot_bind(bind, error) from None


def cannot_bind(bind: Bind, error: OSError) -> CannotBind:
    """Return the clear line for a listener that could not be opened."""
    taken = error.errno == errno.EADDRINUSE
    return CannotBind(f"cannot listen on {bind}: {_explain(error)}", is_taken=taken)


def listener_of(sock: socket.socket) -> Listener:
    """Return what requests are told of the socket they arrived by."""
    if sock.family == socket.AF_UNIX:
        return Listener()
    host, port = sock.getsockname()[:2]
    return Listener(port, is_loopback(str(host).encode()))


def address_of(transport: asyncio.BaseTransport, listener: Listener) -> str:
    """Return the address of who connected, empty where that can only be this machine."""
    if listener.loopback or listener.port is None:
        return ""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if peer else ""


def hold_off(sock: socket.socket) -> None:
    """Let a listening socket take in no new connections, but finish those that it began.

    Closing resets every connection that is not accepted yet, with the request that its caller
    may have sent. A caller held off tries again after a second, and is then refused.
    """
    if sock.family == socket.AF_UNIX or sys.platform != "linux":
        return
    program = ctypes.create_string_buffer(_DROP_SYN, len(_DROP_SYN))
    attached = struct.pack("HP", len(_DROP_SYN) // 8, ctypes.addressof(program))
    # Where a sandbox has no such filters the race stays, as short as it is.
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, attached)


async def _open_tcp(bind: Bind) -> list[socket.socket]:
    infos = await asyncio.get_running_loop().getaddrinfo(
        bind.host, bind.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    opened: list[socket.socket] = []
    missing: OSError | None = None
    try:
        for family, _, _, _, address in dict.fromkeys(infos):
            try:
                opened.append(_open_address(family, address))
            except OSError as error:
                # `localhost` often names ::1 on machines that have no IPv6.
                if error.errno not in _NOT_HERE:
                    raise
                missing = error
        if missing is not None and not opened:
            raise missing
    except BaseException:
        for sock in opened:
            sock.close()
        raise
    return opened


def _open_address(family: int, address: tuple[object, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted connections have it, too; asking for it on each of them costs four system calls.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def _explain(error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return "the address is in use by another process; stop it or choose another"
        case errno.ENOTSOCK:
            return "there is a file that is not a socket; remove it or choose another path"
        case errno.EACCES:
            return "permission denied; ports below 1024 and some folders need more rights"
        case errno.EADDRNOTAVAIL:
            return "this machine does not have that address"
        case _:
            return error.strerror or str(error)

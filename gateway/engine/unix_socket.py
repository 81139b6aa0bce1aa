"""The file of a Unix socket: made, taken over when left behind, removed when it is ours.

The file outlives the process that bound it, and another process may put its own in its
place. So it is taken over only from nobody, and removed only while it is the one that
this process made.

Rule: nothing but a socket is ever removed.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SocketFile:
    """The file of a bound socket, known again by its device and inode."""

    path: Path
    identity: tuple[int, int]

    def remove(self) -> None:
        """Remove the file when it is still ours; call it before the socket is closed.

        While the socket is open no other file can get its inode. Connections that wait to be
        accepted stay.
        """
        # Gone, or its folder is no longer ours to change: nothing that a stop could mend.
        with suppress(OSError):
            if _identity_of(self.path) == self.identity:
                self.path.unlink()


def open_unix(path: Path, backlog: int) -> socket.socket:
    """Return a listening socket, or raise OSError: ENOTSOCK when another file is in the way."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.is_socket():
            if _is_left_behind(path):
                path.unlink()
        elif os.path.lexists(path):
            raise OSError(errno.ENOTSOCK, os.strerror(errno.ENOTSOCK))
        sock.bind(str(path))
        sock.listen(backlog)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


def files_of(sockets: Iterable[socket.socket]) -> list[SocketFile]:
    """Return the files of sockets that were just bound; those of TCP have none."""
    paths = [Path(sock.getsockname()) for sock in sockets if sock.family == socket.AF_UNIX]
    return [SocketFile(path, _identity_of(path)) for path in paths]


def _identity_of(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino


def _is_left_behind(path: Path) -> bool:
    """Tell whether nobody listens here any more; a killed process leaves its file behind."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        # Else a listener whose queue is full would keep us waiting.
        probe.setblocking(False)
        return probe.connect_ex(str(path)) == errno.ECONNREFUSED

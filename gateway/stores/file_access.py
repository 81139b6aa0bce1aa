"""The file system as the store uses it: locks that die with their holder, and whole files.

A lock is an open file description with `flock` on it, so the kernel frees it when the
process ends, however it ends. A holder that is alive but stands still is told by the
lock file's time, which a renewal sets: after `lease_s` another process may replace the
file and so take the lock over.

Rule 1: a file is replaced as a whole, and on disk before anybody is told so.
Rule 2: the functions here block; they run in a thread. A lease is taken, or looked at,
        only under `locked`.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PRIVATE = 0o600
# The lock is held for a few milliseconds, an fsync.
_LOOK_EVERY_S = 0.005
_LOCK_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class Busy(Exception):
    """Another process has held the lock for too long."""


@contextmanager
def locked(path: Path, wait_s: float) -> Iterator[None]:
    """Hold the lock file at a path for a moment, or raise `Busy`."""
    descriptor = os.open(path, _LOCK_FLAGS, _PRIVATE)
    try:
        deadline = time.monotonic() + wait_s
        while not _try_lock(descriptor):
            if time.monotonic() >= deadline:
                raise Busy
            time.sleep(_LOOK_EVERY_S)
        yield
    finally:
        os.close(descriptor)


class FileLease:
    """The lock file of one lease, held."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._inode = os.fstat(descriptor).st_ino

    def renew(self) -> bool:
        """Set the file's time to now; False when another process took it over."""
        try:
            if self._path.stat().st_ino != self._inode:
                return False
            os.utime(self._path)
        except FileNotFoundError:
            return False
        return True

    def free(self) -> None:
        """Give up the lock; once."""
        os.close(self._descriptor)


def take_lease(path: Path, lease_s: float) -> FileLease | None:
    """Take the lease at a path; None when another one holds it and has renewed it in time."""
    if is_leased(path, lease_s):
        return None
    descriptor = os.open(path, _LOCK_FLAGS, _PRIVATE)
    if not _try_lock(descriptor):
        # Its holder stands still: leave it that file, and make another one.
        os.close(descriptor)
        path.unlink()
        descriptor = os.open(path, _LOCK_FLAGS | os.O_EXCL, _PRIVATE)
        _try_lock(descriptor)
    os.utime(descriptor)
    return FileLease(path, descriptor)


def is_leased(path: Path, lease_s: float) -> bool:
    """Tell whether a living process holds the lease at a path."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        renewed = os.fstat(descriptor).st_mtime
        return not _try_lock(descriptor) and time.time() < renewed + lease_s
    finally:
        os.close(descriptor)


def read_file(path: Path) -> bytes | None:
    """Return what a file holds, None when it does not exist."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    with open(descriptor, "rb") as file:
        return file.read()


def replace_file(path: Path, content: bytes) -> None:
    """Put a content in a file's place; on return it is on disk, before that the old one is."""
    fresh = path.with_name(f"{path.name}.new")
    with suppress(FileNotFoundError):
        fresh.unlink()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with open(os.open(fresh, flags, _PRIVATE), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    _sync_directory(path.parent)


def put_aside(path: Path) -> Path:
    """Rename a file that is no store's; return where it is."""
    kept = path.with_name(f"{path.name}.broken")
    os.replace(path, kept)
    return kept


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

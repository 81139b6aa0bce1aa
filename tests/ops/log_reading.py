"""A stream of the log, and who reads it; over real pipes and sockets."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from gateway.ops.log_stream import LogStream

# The kernel gives a pipe this much.
PIPE_BYTES = 65536


def tell_lost(count: int) -> bytes:
    return b"lost %d" % count


class Far:
    """A stream, and the end that a reader has of it."""

    def __init__(self, reader: int, stream: BinaryIO) -> None:
        self.reader = reader
        self.stream = stream
        self.read = b""
        os.set_blocking(reader, False)

    def take(self, size: int = 1 << 22) -> None:
        """Read what is there, up to so many bytes."""
        while size > 0:
            try:
                data = os.read(self.reader, size)
            except BlockingIOError:
                return
            self.read += data
            size -= len(data)

    def take_all(self, out: LogStream) -> list[bytes]:
        """Read until nothing waits any more; return the lines."""
        while out._waiting:
            self.take()
            out.finish()
        self.take()
        assert self.read.endswith(b"\n")
        return self.read.splitlines()


@contextmanager
def piped() -> Iterator[Far]:
    reader, writer = os.pipe()
    with open(writer, "wb") as stream:
        yield Far(reader, stream)
    os.close(reader)


@contextmanager
def connected() -> Iterator[Far]:
    ours, theirs = socket.socketpair()
    with ours, theirs, open(ours.detach(), "wb", buffering=0) as stream:
        yield Far(theirs.fileno(), stream)


def lines_of(count: int, size: int = 99) -> list[bytes]:
    return [b"%d " % number + b"x" * size for number in range(count)]

"""Large bodies, one after another on one connection, by blocking sockets in large pieces.

Rule: every byte is counted; a transfer that is not whole raises OSError.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from tests.bench.machine import MIB
from tests.bench.origin import UPLOAD, large

_PIECE = memoryview(bytes(256 * 1024))
_TIMEOUT_S = 60.0
_END = b"\r\n\r\n"


def download(port: int, name: str, size: int, seconds: float) -> float:
    """Fetch a large answer again and again for some seconds; return MiB received."""
    head = _head(port, f"GET {large(name)}")

    def once(sock: socket.socket) -> None:
        sock.sendall(head)
        _receive(sock, size)

    return _repeat(port, once, size, seconds)


def upload(port: int, size: int, seconds: float) -> float:
    """Send a body of `size` bytes again and again for some seconds; return MiB sent."""
    head = _head(port, f"PUT {UPLOAD}", f"Content-Length: {size}\r\n")

    def once(sock: socket.socket) -> None:
        sock.sendall(head)
        for start in range(0, size, len(_PIECE)):
            sock.sendall(_PIECE[: min(len(_PIECE), size - start)])
        _receive(sock, None)

    return _repeat(port, once, size, seconds)


def _repeat(port: int, once: Callable[[socket.socket], None], size: int, seconds: float) -> float:
    count = 0
    with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S) as sock:
        end = time.monotonic() + seconds
        while not count or time.monotonic() < end:
            once(sock)
            count += 1
    return count * size / MIB


def _receive(sock: socket.socket, size: int | None) -> None:
    """Read an answer; its body has `size` bytes, or what its Content-Length says."""
    buffer = bytearray(len(_PIECE))
    data = b""
    while _END not in data:
        data += _some(sock.recv(65536))
    head, _, body = data.partition(_END)
    if not head.startswith(b"HTTP/1.1 200"):
        raise ConnectionError(head.split(b"\r\n", 1)[0].decode("latin-1"))
    if b"\r\ntransfer-encoding: chunked" in head.lower():
        tail = body[-5:]
        while tail != b"0\r\n\r\n":
            count = sock.recv_into(buffer)
            tail = (tail + bytes(buffer[max(0, count - 5) : count]))[-5:]
            _some(tail if count else b"")
        return
    left = (size if size is not None else _length(head)) - len(body)
    while left > 0:
        count = sock.recv_into(buffer, min(left, len(buffer)))
        if not count:
            raise ConnectionResetError("closed within a body")
        left -= count


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"\r\ncontent-length:")[2].split(b"\r\n", 1)[0])


def _some(data: bytes) -> bytes:
    if not data:
        raise ConnectionResetError("closed within an answer")
    return data


def _head(port: int, line: str, *fields: str) -> bytes:
    return f"{line} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{''.join(fields)}\r\n".encode()

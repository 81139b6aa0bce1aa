"""Open-loop load: a request every so often, whether or not the ones before are answered.

A latency counts from the moment when the request was due, so that a proxy that stalls
pays for every request that had to wait, and not for one (no coordinated omission). One
thread and `select`, whose timeout has the resolution of the kernel's timers; an event
loop's has a millisecond.

Rule: the schedule is fixed before the start; nothing that happens moves it.
"""

from __future__ import annotations

import ctypes
import gc
import json
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.bench.configs import OVERRIDE
from tests.bench.origin import SMALL

CONNECTIONS = 50
# What is not answered this long after the end is counted as failed.
PATIENCE_S = 5.0
_PR_SET_TIMERSLACK = 29
_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Latencies:
    """What a run saw, in seconds and ascending, and how many requests failed."""

    ordered: tuple[float, ...]
    failed: int

    def percentile(self, share: float) -> float:
        """Return the latency that a share of the requests did not exceed (nearest rank)."""
        if not self.ordered:
            return float("nan")
        rank = max(0, -(-int(share * 1e6) * len(self.ordered) // 1_000_000) - 1)
        return self.ordered[min(rank, len(self.ordered) - 1)]


class _Lane:
    """One keep-alive connection; `due` is when the request on it was to be sent."""

    __slots__ = ("due", "held", "sock")

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self.held = b""

    def fileno(self) -> int:
        return self.sock.fileno()

    def receive(self) -> bool:
        """Read what is here; tell whether the answer is whole. Raises OSError when it is none."""
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionResetError("closed before the answer was whole")
        self.held += data
        if not is_whole(self.held):
            return False
        if not self.held.startswith(b"HTTP/1.1 2"):
            raise ConnectionError("not a success")
        self.held = b""
        return True


def is_whole(data: bytes) -> bool:
    """Tell whether an answer, framed by length or chunked, is complete."""
    head, end, body = data.partition(_END)
    if not end:
        return False
    folded = head.lower()
    if b"\r\ntransfer-encoding: chunked" in folded:
        return body.endswith(b"0\r\n\r\n")
    _, found, rest = folded.partition(b"\r\ncontent-length:")
    return not found or len(body) >= int(rest.split(b"\r\n", 1)[0])


def norm_request(port: int) -> bytes:
    """Return the norm job's DELETE."""
    return (
        f"POST {SMALL} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: RingCentral-SDK/4.2\r\n"
        f"Accept: application/json\r\n{OVERRIDE}: DELETE\r\n"
        "Authorization: Bearer of-the-caller\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def run(port: int, rate: float, seconds: float) -> Latencies:
    """Send `rate` requests a second for some seconds."""
    request = norm_request(port)
    free = deque(_Lane(port) for _ in range(CONNECTIONS))
    try:
        with _steady():
            return _Run(free, request, rate, int(rate * seconds)).go()
    finally:
        for lane in free:
            lane.sock.close()


class _Run:
    """One schedule being carried out."""

    def __init__(self, free: deque[_Lane], request: bytes, rate: float, count: int) -> None:
        self._free = free
        self._busy: set[_Lane] = set()
        self._request = request
        self._start = time.perf_counter()
        self._rate = rate
        self._count = count
        self._sent = 0
        self._latencies: list[float] = []
        self._failed = 0

    def go(self) -> Latencies:
        end = self._start + self._count / self._rate + PATIENCE_S
        while self._sent < self._count or self._busy:
            now = time.perf_counter()
            if now > end or not (self._free or self._busy):
                break
            self._send_due(now)
            self._receive(self._pause(now, end))
        failed = self._failed + len(self._busy) + self._count - self._sent
        self._free.extend(self._busy)
        return Latencies(tuple(sorted(self._latencies)), failed)

    def _due(self) -> float:
        return self._start + self._sent / self._rate

    def _pause(self, now: float, end: float) -> float:
        """Return how long to wait for answers before the next request is due."""
        if self._sent >= self._count or not self._free:
            return end - now
        return max(0.0, self._due() - time.perf_counter())

    def _send_due(self, now: float) -> None:
        while self._sent < self._count and self._free and self._due() <= now:
            lane = self._free.popleft()
            lane.due = self._due()
            self._sent += 1
            try:
                lane.sock.sendall(self._request)
            except OSError:
                self._drop(lane)
            else:
                self._busy.add(lane)

    def _receive(self, pause_s: float) -> None:
        ready, _, _ = select.select(list(self._busy), (), (), max(0.0, pause_s))
        now = time.perf_counter()
        for lane in ready:
            try:
                whole = lane.receive()
            except OSError:
                self._busy.discard(lane)
                self._drop(lane)
                continue
            if whole:
                self._latencies.append(now - lane.due)
                self._busy.discard(lane)
                self._free.append(lane)

    def _drop(self, lane: _Lane) -> None:
        self._failed += 1
        lane.sock.close()


@contextmanager
def _steady() -> Iterator[None]:
    """Keep the collector and the kernel's timer slack (50 us) out of the figures."""
    libc = ctypes.CDLL(None)
    gc.disable()
    libc.prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(_PR_SET_TIMERSLACK, 0, 0, 0, 0)
        gc.enable()


def main() -> None:
    """Print the percentiles that a soak compares: `python -m tests.bench.paced PORT RATE S`."""
    port, rate, seconds = sys.argv[1:]
    seen = run(int(port), float(rate), float(seconds))
    figures = {"p50": seen.percentile(0.5), "p99": seen.percentile(0.99), "failed": seen.failed}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

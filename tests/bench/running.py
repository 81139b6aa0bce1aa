"""Peers as processes: started on their core, waited for, ended by their id.

Rule 1: whatever happens, what was started here is ended here, and nothing else is.
Rule 2: readiness is the first answer, not the first log line.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.bench import origin
from tests.bench.machine import tree
from tests.bench.peers import ROOT, Peer, environment

READY_S = 30.0
STOP_S = 10.0
_PAUSE_S = 0.005


class NotReady(Exception):
    """A peer that did not start; the text has the end of what it said."""


def free_ports(count: int) -> list[int]:
    """Return ports of 127.0.0.1 that nobody uses now."""
    socks = [socket.socket() for _ in range(count)]
    try:
        for sock in socks:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in socks]
    finally:
        for sock in socks:
            sock.close()


@contextmanager
def started(peer: Peer, core: int, folder: Path) -> Iterator[tuple[int, float]]:
    """Run a peer on a core; give its process id and the seconds from start to first answer."""
    log = folder / "output.log"
    with log.open("wb") as output:
        begin = time.monotonic()
        process = subprocess.Popen(
            ("taskset", "--cpu-list", str(core), *peer.command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=environment(**peer.environment),
            # Ctrl-C is for the harness, which ends its peers itself.
            start_new_session=True,
        )
        try:
            ready_s = _wait(process, peer.ports.plain, begin, log)
            _wait(process, peer.ports.norm, begin, log)
            yield process.pid, ready_s
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process; when it does not go, kill it and its children."""
    family = list(tree(process.pid))
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, begin: float, log: Path) -> float:
    """Return the seconds since `begin` at the first answer."""
    while time.monotonic() - begin < READY_S:
        if process.poll() is not None:
            break
        if _answers(port):
            return time.monotonic() - begin
        time.sleep(_PAUSE_S)
    said = log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
    raise NotReady(" / ".join(said) or "it said nothing")


def _answers(port: int) -> bool:
    request = f"GET {origin.SEEN} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as sock:
            sock.sendall(request)
            return sock.recv(65536).startswith(b"HTTP/1.1 200 ")
    except OSError:
        return False

"""A real Redis on a free loopback port: started, paused, stopped and started again."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from types import TracebackType

from gateway.config.redis_address import RedisAddress
from tests.free_port import free_port

_READY = "Ready to accept connections"
PATIENCE_S = 20


class RedisServer:
    """Holds nothing on disk: what is started again is empty.

    With `tls` it takes the certificate from cert.pem and key.pem in its directory.
    """

    def __init__(self, directory: Path, *options: str, tls: bool = False) -> None:
        port = free_port()
        self.address = RedisAddress("127.0.0.1", port, tls=tls)
        ports = ["--port", str(port)]
        if tls:
            ports = ["--port", "0", "--tls-port", str(port), "--tls-auth-clients", "no"]
            ports += ["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem"]
        disk = ("--save", "", "--appendonly", "no", "--dir", str(directory))
        self._command = ["redis-server", "--bind", "127.0.0.1", *ports, *disk, *options]
        self._directory = directory
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        process = self._process = subprocess.Popen(
            self._command, cwd=self._directory, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        seen = ""
        while _READY not in seen:
            line = process.stdout.readline()
            assert line, seen
            seen += line

    def stop(self) -> None:
        """Kill it, as a machine that fails does."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate(timeout=PATIENCE_S)
            self._process = None

    def pause(self) -> None:
        """Let it stand still: connections stay open, and no answer comes."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

"""A real Redis on a free loopback port: started, paused, stopped and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path
from types import TracebackType

from gateway.config.redis_address import RedisAddress
from gateway.core.secret import Secret

_READY = "Ready to accept connections"
PATIENCE_S = 20


class RedisServer:
    """Holds nothing on disk; what is started again is empty."""

    def __init__(
        self, directory: Path, *, password: str = "", options: tuple[str, ...] = ()
    ) -> None:
        self._directory = directory
        self._options = (*options, *(("--requirepass", password) if password else ()))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = RedisAddress("127.0.0.1", port, password=Secret(password.encode()))
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(self.address.port)]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self._directory)]
        process = subprocess.Popen([*command, *self._options], stdout=subprocess.PIPE, text=True)
        self._process = process
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
        """Let it stand still: connections open, and no answer comes."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

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

"""One question to the ops listener of a running gateway, by TCP or Unix socket.

Used by probes every few seconds, so it imports little and waits little. It asks without a
proxy, whatever the environment names.

Rule: what goes wrong on the way is one exception with one line of text.
"""

from __future__ import annotations

import socket
from http.client import HTTPConnection, HTTPException

# Below the 5 seconds or more that orchestrators give a probe by habit.
TIMEOUT_S = 3.0


class NoAnswer(Exception):
    """The listener did not answer; the text says why."""


class UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        """Open the socket (http.client calls this)."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT_S)
        self.sock.connect(self._path)


def ask(connection: HTTPConnection, path: str, most_bytes: int) -> tuple[int, bytes]:
    """Return the status of GET `path` and the beginning of its body, or raise `NoAnswer`."""
    try:
        connection.request("GET", path, headers={"Host": "localhost"})
        response = connection.getresponse()
        return response.status, response.read(most_bytes)
    except (OSError, HTTPException) as error:
        # The system's words, without its number.
        text = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise NoAnswer(text) from None
    finally:
        connection.close()

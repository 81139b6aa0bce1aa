"""Where Redis or Valkey is: `redis://`, `rediss://` for TLS, or `unix:///path`.

We read the URL ourselves instead of leaving it to the library, whose URLs may carry
options, one of which switches the verification of certificates off.

Rule 1: no message or repr of this module shows a user, a password, or the text read.
Rule 2: an option that is not known here is refused, not ignored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from gateway.core.secret import Secret

FORM = '"redis://host:6379/0", "rediss://host:6379/0" or "unix:///path"'
PORT = 6379


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """One Redis; `socket` is the path of a Unix socket, and then there is no host."""

    host: str = ""
    port: int = PORT
    database: int = 0
    socket: str = ""
    tls: bool = False
    username: Secret = field(default_factory=lambda: Secret(b""))
    password: Secret = field(default_factory=lambda: Secret(b""))

    def __str__(self) -> str:
        if self.socket:
            return f"unix://{self.socket}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"redis{'s' if self.tls else ''}://{host}:{self.port}/{self.database}"


def parse_redis_address(text: str) -> RedisAddress:
    """Read a URL, or raise `ValueError` with what to write."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(f"is no URL; write {FORM}") from None
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise ValueError(f"is no URL of Redis; write {FORM}")
    if parts.query or parts.fragment:
        raise ValueError(f'has options behind a "?" or "#", which are not read; write {FORM}')
    username, password = _secret(parts.username), _secret(parts.password)
    if parts.scheme == "unix":
        return RedisAddress(socket=_socket_of(parts), username=username, password=password)
    if not parts.hostname:
        raise ValueError(f"has no host; write {FORM}")
    return RedisAddress(
        host=parts.hostname,
        port=PORT if port is None else port,
        database=_database_of(parts.path),
        tls=parts.scheme == "rediss",
        username=username,
        password=password,
    )


def _secret(quoted: str | None) -> Secret:
    return Secret(unquote(quoted or "").encode())


def _socket_of(parts: SplitResult) -> str:
    if parts.hostname or len(parts.path) < 2:
        raise ValueError('needs an absolute path; write "unix:///path"')
    return unquote(parts.path)


def _database_of(path: str) -> int:
    number = path.removeprefix("/") or "0"
    if not (number.isascii() and number.isdigit() and len(number) <= 6):
        raise ValueError('ends in the number of a database, such as "/0"')
    return int(number)

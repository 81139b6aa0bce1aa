"""What the tests of credentials share: a token service on loopback, and who listens.

`Desk` answers token calls as a test tells it, and keeps what was asked. `Told` keeps what
credentials tell of themselves.

Rule: nothing here sleeps; whoever waits, waits for a call or an end.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from gateway.config.secrets import Reference, parse_reference
from gateway.core.secret import Secret
from gateway.credentials.endpoint import Budget, Route, TokenEndpoint
from gateway.credentials.failures import TokenCallFailed
from gateway.credentials.grant import Grant
from gateway.credentials.grants.oauth import OAuthApp, Vault, Wishes
from gateway.credentials.holding import Holding
from gateway.policy.routes import Origin
from gateway.stores.memory import MemoryStore
from gateway.stores.store import Store
from tests.wire import PATIENCE_S, Peer, scripted

AGENT = b"desk-test/1.0"


@dataclass(frozen=True)
class Call:
    """One token call as it arrived."""

    path: str
    head: bytes
    form: dict[str, str]


Answer = tuple[int, dict[str, Any] | bytes] | tuple[int, dict[str, Any] | bytes, str]


@dataclass
class Desk:
    """A token service: `answers` are given in turn, then `default` makes them."""

    answers: list[Answer | str] = field(default_factory=list)
    default: Callable[[Call, int], Answer] | None = None
    calls: list[Call] = field(default_factory=list)
    port: int = 0
    # While it is cleared, calls are not answered.
    open: asyncio.Event = field(default_factory=asyncio.Event)
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def origin(self) -> Origin:
        return Origin("http", "127.0.0.1", self.port)

    async def came(self, count: int) -> None:
        """Wait until so many calls have come."""
        async with asyncio.timeout(PATIENCE_S), self._came:
            await self._came.wait_for(lambda: len(self.calls) >= count)

    async def serve(self, peer: Peer) -> None:
        while True:
            head, body = await peer.read_request()
            path = head.split(b" ", 2)[1].decode()
            self.calls.append(Call(path, head, dict(parse_qsl(body.decode()))))
            async with self._came:
                self._came.notify_all()
            await self.open.wait()
            answer = self._answer()
            if isinstance(answer, str):
                if answer == "silence":
                    await peer.read_to_end()
                peer.reset()
                return
            await peer.send(render(answer))

    def _answer(self) -> Answer | str:
        number = len(self.calls)
        if self.answers:
            return self.answers.pop(0)
        return (self.default or pair)(self.calls[-1], number)


def render(answer: Answer) -> bytes:
    status, content, *fields = answer
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    lines = "".join(f"{line}\r\n" for line in fields)
    return f"HTTP/1.1 {status} X\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


def pair(_call: Call, number: int) -> Answer:
    """Return the answer with the pair of tokens of a number."""
    return 200, {
        "access_token": f"access-{number}",
        "token_type": "bearer",
        "expires_in": 3600,
        "refresh_token": f"refresh-{number}",
        "refresh_token_expires_in": 604800,
    }


@asynccontextmanager
async def desk(*answers: Answer | str) -> AsyncIterator[Desk]:
    """Run a token service."""
    service = Desk(list(answers))
    service.open.set()
    async with scripted(service.serve) as upstream:
        service.port = upstream.port
        yield service


def endpoint_of(
    service: Desk, store: Store | None = None, *, limit: int = 100, timeout_s: float = 5.0
) -> TokenEndpoint:
    """Return an endpoint that calls the service."""
    route = Route(service.origin, AGENT, timeout_s=timeout_s)
    return TokenEndpoint(route, Budget("auth:desk", limit, 60.0), store or MemoryStore())


def vault_of(**secrets: str) -> Vault:
    """Return a vault with these secrets."""
    return Vault({key: parse_reference(f"literal:{value}") for key, value in secrets.items()}, {})


class Restless(Reference):
    """A secret in a file that somebody writes anew whenever it has been read: old, new, newer."""

    def resolve(self, environ: Mapping[str, str], *, is_token: bool = False) -> Secret:
        secret = super().resolve(environ, is_token=is_token)
        Path(self.place).write_bytes(b"new" if secret == Secret(b"old") else b"newer")
        return secret


def restless_vault(folder: Path, *keys: str) -> Vault:
    """Return a vault of secrets that are "old" when they are read first."""
    for key in keys:
        (folder / key).write_text("old")
    return Vault({key: Restless("file", str(folder / key)) for key in keys}, {})


def app_of(service: Desk, store: Store | None = None, **secrets: str) -> OAuthApp:
    """Return an application at the service; its clock stands at 1,000 seconds."""
    known = {"client_id": "app-id", "client_secret": "app-secret", **secrets}
    endpoint = endpoint_of(service, store)
    return OAuthApp(endpoint, vault_of(**known), Wishes("gateway-1"), lambda: 1000.0)


async def obtained(grant: Grant, held: Holding | None) -> Holding:
    """Ask as a renewal does that finds nothing newer in the store."""
    try:
        return await grant.obtain(held, alone=False)
    except TokenCallFailed as failure:
        if not failure.may_begin:
            raise
    return await grant.obtain(None, alone=False)


@dataclass
class Told:
    """What credentials told, in order."""

    changes: list[tuple[str, int]] = field(default_factory=list)
    troubles: list[tuple[str, str]] = field(default_factory=list)
    refreshes: list[tuple[str, str]] = field(default_factory=list)
    stores: list[str] = field(default_factory=list)

    def token_changed(self, credential: str, generation: int) -> None:
        self.changes.append((credential, generation))

    def token_unreadable(self, credential: str, reason: str) -> None:
        self.troubles.append((credential, reason))

    def refresh_finished(self, credential: str, outcome: str, reason: str) -> None:
        self.refreshes.append((outcome, reason))

    def store_failed(self, credential: str, reason: str) -> None:
        self.stores.append(reason)

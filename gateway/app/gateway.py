"""The data plane of one configuration: opened whole, or not at all; closed without a loss.

Rule 1: the order of closing is drain, sockets, pools.
Rule 2: this module knows nothing of logs, metrics and signals; who listens is passed in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from gateway.config.binds import Bind
from gateway.config.compile import compile_policy, enabled_credentials
from gateway.config.model import Config
from gateway.config.proxies import proxy_of
from gateway.credentials.events import Events as CredentialEvents
from gateway.credentials.grants.static import StaticCredential
from gateway.credentials.tokens import Credential
from gateway.engine.connect import Connector
from gateway.engine.drain import cut, drain
from gateway.engine.events import Events
from gateway.engine.gate import Gate, Outfit
from gateway.engine.listen import BACKLOG, CannotBind, listener_of, open_sockets
from gateway.engine.pool import Pool
from gateway.engine.server import Server
from gateway.engine.unix_socket import SocketFile, files_of


class Gateway:
    """The data plane of one configuration; `binds` is where it listens once open.

    `environ` names the proxies that the configuration does not, and holds their credentials.
    """

    def __init__(
        self,
        config: Config,
        credentials: Mapping[str, Credential],
        events: Events,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._config = config
        self._environ = environ or {}
        self._loop = asyncio.get_running_loop()
        self.pools = self._make_pools()
        policy = compile_policy(config)
        self.gate = Gate(
            Outfit(policy, config.limits, config.timeouts, self.pools, credentials, events)
        )
        self._servers: list[Server] = []
        self._sockets: list[asyncio.Server] = []
        self._files: list[SocketFile] = []
        self.binds: list[Bind] = []

    async def open(self) -> None:
        """Listen on every bind, or raise `CannotBind` and listen on none."""
        try:
            for bind in self._config.listener.bind:
                await self._listen(bind)
        except CannotBind:
            self._close_sockets()
            raise

    async def drain(self) -> int:
        """Stop, and let requests finish; return how many were cut when the time was up."""
        self._remove_files()
        drain_s = self._config.timeouts.drain_s
        requests = await drain(self.gate, self._sockets, self._servers, drain_s)
        self._close_pools()
        return requests

    async def abort(self) -> int:
        """Stop at once: what is under way is cut, and told of; return how many requests."""
        self._close_sockets()
        requests = await cut(self.gate, self._servers)
        self._close_pools()
        return requests

    def idle_upstream_connections(self) -> int:
        """Return how many connections wait in the pools."""
        return sum(pool.idle_count for pool in self.pools.values())

    async def _listen(self, bind: Bind) -> None:
        opened = await open_sockets(bind)
        self._files += files_of(opened)
        for sock in opened:
            listener = listener_of(sock)
            server = Server(self.gate, listener)
            self._servers.append(server)
            if bind.path is not None:
                self._sockets.append(
                    await self._loop.create_unix_server(server, sock=sock, backlog=BACKLOG)
                )
                self.binds.append(bind)
            else:
                self._sockets.append(
                    await self._loop.create_server(server, sock=sock, backlog=BACKLOG)
                )
                self.binds.append(Bind(host=sock.getsockname()[0], port=listener.port))

    def _close_pools(self) -> None:
        for pool in self.pools.values():
            pool.close()

    def _remove_files(self) -> None:
        for file in self._files:
            file.remove()

    def _close_sockets(self) -> None:
        self._remove_files()
        for sock in self._sockets:
            sock.close()

    def _make_pools(self) -> dict[str, Pool]:
        config = self._config
        return {
            name: Pool(
                self._loop,
                Connector(
                    self._loop,
                    upstream.origin,
                    config.timeouts.connect_s,
                    Path(upstream.ca_file) if upstream.ca_file else None,
                    partial(proxy_of, upstream.origin, upstream, self._environ),
                ),
                config.limits.max_in_flight,
            )
            for name, upstream in config.upstreams.items()
        }


def make_credentials(
    config: Config, environ: Mapping[str, str], events: CredentialEvents
) -> dict[str, Credential]:
    """Return the credentials that the gateway itself owns, by name."""
    return {
        name: StaticCredential(name, credential.token, environ, events)
        for name, credential in enabled_credentials(config).items()
        if credential.token is not None
    }

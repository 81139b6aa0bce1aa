"""The data plane of one configuration: opened whole, or not at all; closed without a loss.

Rule 1: the order of closing is drain, sockets, pools, credentials.
Rule 2: this module knows nothing of logs, metrics and signals; who listens is passed in.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from gateway.app.credentials import Credentials
from gateway.config.binds import Bind
from gateway.config.compile import compile_policy, retry_rules
from gateway.config.model import Config
from gateway.config.proxies import proxy_of
from gateway.engine.connect import Connector
from gateway.engine.drain import cut, drain
from gateway.engine.events import Events
from gateway.engine.fleet_budgets import FleetBudgets
from gateway.engine.gate import Gate, Outfit
from gateway.engine.listen import BACKLOG, CannotBind, listener_of, open_sockets
from gateway.engine.pool import Pool
from gateway.engine.server import Server
from gateway.engine.toll import Toll
from gateway.engine.unix_socket import SocketFile, files_of
from gateway.engine.way import Way
from gateway.policy.rates import RateMode, Rates
from gateway.policy.retries import RetryBudget


class Gateway:
    """The data plane of one configuration; `binds` is where it listens once open.

    `environ` names the proxies that the configuration does not, and holds their credentials.
    """

    def __init__(
        self,
        config: Config,
        credentials: Credentials,
        events: Events,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._config = config
        self._environ = environ or {}
        self.credentials = credentials
        self._loop = asyncio.get_running_loop()
        self.pools = self._make_pools()
        policy = compile_policy(config)
        self.rates = Rates(RateMode(config.rates.mode), secrets.token_bytes(32))
        self.gate = Gate(Outfit(policy, config.limits, config.timeouts, self._make_ways(), events))
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
            await self.credentials.close()
            raise
        self.credentials.open()

    async def drain(self) -> int:
        """Stop, and let requests finish; return how many were cut when the time was up."""
        self._remove_files()
        drain_s = self._config.timeouts.drain_s
        requests = await drain(self.gate, self._sockets, self._servers, drain_s)
        await self._close_upstream()
        return requests

    async def abort(self) -> int:
        """Stop at once: what is under way is cut, and told of; return how many requests."""
        self._close_sockets()
        requests = await cut(self.gate, self._servers)
        await self._close_upstream()
        return requests

    def idle_upstream_connections(self) -> int:
        """Return how many connections wait in the pools."""
        return sum(pool.idle_count for pool in self.pools.values())

    async def _listen(self, bind: Bind) -> None:
        opened = await open_sockets(bind)
        self._files += files_of(opened)
        for sock in opened:
            listener = listener_of(sock)
            server = Server(self.gate, listener, fast_lane=self._config.engine.fast_lane)
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

    async def _close_upstream(self) -> None:
        for pool in self.pools.values():
            pool.close()
        await self.credentials.close()

    def _remove_files(self) -> None:
        for file in self._files:
            file.remove()

    def _close_sockets(self) -> None:
        self._remove_files()
        for sock in self._sockets:
            sock.close()

    def _make_ways(self) -> dict[str, Way]:
        now, config = self._loop.time(), self._config
        rules = retry_rules(config)
        toll = Toll(
            self.rates,
            FleetBudgets(self.credentials.store) if config.stores.redis is not None else None,
            max_wait_s=config.rates.max_wait_s,
            max_queue=config.rates.max_queue,
        )
        return {
            name: Way(
                self.pools[name],
                self.credentials.by_name.get(upstream.credential),
                rules,
                RetryBudget(now),
                toll,
            )
            for name, upstream in config.upstreams.items()
        }

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

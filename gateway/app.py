"""The composition root: a configuration becomes a running gateway.

Everything that talks to the outside is made here and handed down: pools, credentials,
the gate, its listeners, the operators' listener. The order of opening is the order in
which failures are cheapest; the order of closing loses no request.

Rule 1: nothing else in the gateway makes a pool, a listener or a logger.
Rule 2: this module decides nothing about requests.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import uvloop
from structlog.typing import FilteringBoundLogger

from gateway.config.binds import Bind
from gateway.config.compile import compile_policy, enabled_credentials
from gateway.config.load import Loaded
from gateway.config.model import Config
from gateway.config.simulated import point_at
from gateway.credentials.events import Events as CredentialEvents
from gateway.credentials.grants.static import StaticCredential
from gateway.credentials.tokens import Credential
from gateway.engine.connect import Connector
from gateway.engine.descriptors import count_needed, raise_limit
from gateway.engine.drain import cut, drain
from gateway.engine.events import Events
from gateway.engine.gate import Gate, Outfit
from gateway.engine.listen import BACKLOG, CannotBind, listener_of, open_sockets
from gateway.engine.pool import Pool
from gateway.engine.server import Server, parser_kind
from gateway.engine.unix_socket import SocketFile, files_of
from gateway.errors import ConfigError, Problem
from gateway.ops.credential_log import CredentialLog
from gateway.ops.fanout import Fanout
from gateway.ops.health import Health
from gateway.ops.log_output import open_log
from gateway.ops.metrics import Gauges, Metrics
from gateway.ops.request_log import RequestLog
from gateway.ops.request_log import shorten as shorten_request
from gateway.ops.server import OpsServer
from gateway.simulator import TOKEN, Examples
from gateway.simulator import start as start_simulator

# With this, and what was built at start left out, a request costs 0.91 of the CPU and the process
# a megabyte more (64 connections, median of 11 paired runs; 0.96 with Python's 700). 20,000 and
# 100,000 gain nothing further.
_YOUNG_OBJECTS = 10_000

Announce: TypeAlias = Callable[[Bind, Examples], None]


class Gateway:
    """The data plane of one configuration; `binds` is where it listens once open."""

    def __init__(
        self, config: Config, credentials: Mapping[str, Credential], events: Events
    ) -> None:
        self._config = config
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


def run(loaded: Loaded, *, simulator: bool = False, announce: Announce | None = None) -> int:
    """Serve until a signal says stop; return the exit code.

    `announce` is called once it listens, with its first TCP bind, or the first one when all are
    Unix sockets, and the simulator's examples.
    Raises `CannotBind`, or `ConfigError` for what shows only now.
    """
    if parser_kind() != "c":
        raise ConfigError((Problem("", "aiohttp is installed without its C parser; reinstall it"),))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(loaded.config, announce if simulator else None))


async def _serve(config: Config, announce: Announce | None) -> int:
    log = open_log(config.log.level, config.log.format, shorten=shorten_request)
    simulator = await start_simulator() if announce is not None else None
    if simulator is not None:
        config = point_at(config, simulator.origin, TOKEN)
    host = Host(config, log)
    await host.open()
    settle_collector()
    if simulator is not None and announce is not None:
        binds = host.gateway.binds
        announce(next((bind for bind in binds if bind.path is None), binds[0]), simulator.examples)
    code = await host.until_stopped()
    if simulator is not None:
        await simulator.close()
    return code


def settle_collector() -> None:
    """Keep garbage collections away from what was built at start, and make them rarer."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])


class Host:
    """A gateway in its process: the operators' listener, the log, the signals."""

    def __init__(self, config: Config, log: FilteringBoundLogger) -> None:
        self._config = config
        self._log = log
        self._health = Health()
        metrics = Metrics()
        self.gateway = Gateway(
            config,
            make_credentials(config, os.environ, CredentialLog(log)),
            Fanout((metrics, RequestLog(log, config.log.requests))),
        )
        gate = self.gateway.gate
        metrics.watch(
            Gauges(
                in_flight=lambda: gate.in_flight,
                open_connections=lambda: gate.connections,
                idle_upstream_connections=self.gateway.idle_upstream_connections,
            )
        )
        self._ops = OpsServer(self._health.checks(), metrics)
        self._stop = asyncio.Event()
        self._draining: asyncio.Task[int] | None = None
        self._stop_signals = 0

    async def open(self) -> None:
        """Listen, or raise `CannotBind`."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_stop_signal)
        loop.add_signal_handler(signal.SIGHUP, self._on_hangup)
        self._raise_limits()
        await self.gateway.open()
        try:
            ops_bind = await self._ops.start(self._config.ops.bind)
        except CannotBind:
            await self.gateway.abort()
            raise
        self._health.listening = True
        binds = [str(bind) for bind in self.gateway.binds]
        self._log.info("listening", binds=binds, ops=str(ops_bind))

    def _raise_limits(self) -> None:
        needed = count_needed(self._config.limits)
        allowed = raise_limit(needed)
        if allowed < needed:
            self._log.warning(
                f"only {allowed} open files are allowed; limits.max_connections and "
                f"limits.max_in_flight need {needed}: raise the hard limit (ulimit -Hn, "
                "LimitNOFILE= of systemd) or lower the two"
            )

    async def until_stopped(self) -> int:
        """Wait for a signal and drain; return the exit code.

        0 after a drain, also one that had to cut what did not finish in time; 1 when a second
        signal ended it.
        """
        await self._stop.wait()
        self._health.draining = True
        self._log.info("draining", drain_s=self._config.timeouts.drain_s)
        self._draining = asyncio.create_task(self.gateway.drain())
        if self._stop_signals > 1:
            self._draining.cancel()
        try:
            requests_cut = await self._draining
        except asyncio.CancelledError:
            self._log.warning("stopped at once", requests_cut=await self.gateway.abort())
            return 1
        finally:
            await self._ops.close()
        self._log.log(
            logging.WARNING if requests_cut else logging.INFO, "stopped", requests_cut=requests_cut
        )
        return 0

    def _on_stop_signal(self) -> None:
        self._stop_signals += 1
        if self._draining is not None:
            self._draining.cancel()
        self._stop.set()

    def _on_hangup(self) -> None:
        self._log.warning("SIGHUP is ignored: this version reads its configuration at start only")

"""A gateway in its process: the operators' listener, the log, the signals.

Rule: the first signal drains, the second one stops; nothing else ends a gateway that
listens.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time

from structlog.typing import FilteringBoundLogger

from gateway.app.credentials import make_credentials
from gateway.app.gateway import Gateway
from gateway.config.cautions import cautions
from gateway.config.model import Config
from gateway.engine.descriptors import count_callers, count_needed, raise_limit
from gateway.engine.listen import CannotBind
from gateway.ops.credential_log import CredentialLog
from gateway.ops.credential_metrics import CredentialMetrics
from gateway.ops.credential_report import CredentialReport
from gateway.ops.fanout import CredentialFanout, Fanout
from gateway.ops.health import Health
from gateway.ops.metrics import Gauges, Metrics
from gateway.ops.rate_metrics import RateMetrics
from gateway.ops.request_log import RequestLog
from gateway.ops.server import OpsServer
from gateway.stores.open import open_store


class Host:
    """A gateway in its process: the operators' listener, the log, the signals."""

    def __init__(self, config: Config, log: FilteringBoundLogger) -> None:
        self._config = config
        self._log = log
        self._health = Health()
        metrics = Metrics()
        told = CredentialLog(log)
        counted = CredentialMetrics(metrics.registry)
        credentials = make_credentials(
            config,
            os.environ,
            CredentialFanout((counted, told)),
            open_store(config.stores, os.environ, told),
        )
        self.gateway = Gateway(
            config,
            credentials,
            Fanout((metrics, RequestLog(log, config.log.requests))),
            os.environ,
        )
        gate, rates = self.gateway.gate, self.gateway.rates
        limits = RateMetrics(metrics.registry)
        metrics.before_scrape(lambda: limits.sample(rates.remaining(time.monotonic())))
        metrics.watch(
            Gauges(
                in_flight=lambda: gate.in_flight,
                open_connections=lambda: gate.connections,
                idle_upstream_connections=self.gateway.idle_upstream_connections,
                surplus_connections=lambda: gate.surplus,
            )
        )
        report = CredentialReport(credentials.statuses, lambda: credentials.store.trouble)
        metrics.before_scrape(
            lambda: counted.sample(credentials.statuses(), credentials.store.trouble)
        )
        self._ops = OpsServer(self._health.checks(), report.notes, metrics, report.document)
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
        for caution in cautions(self._config):
            self._log.warning(str(caution))
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
        callers = count_callers(self._config.limits, allowed)
        self.gateway.gate.max_connections = callers
        if allowed < needed:
            self._log.warning(
                f"only {allowed} open files are allowed; limits.max_connections and "
                f"limits.max_in_flight need {needed}: raise the hard limit (ulimit -Hn, "
                "LimitNOFILE= of systemd) or lower the two",
                max_connections=callers,
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

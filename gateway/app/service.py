"""A gateway with all that is told of it: its log, its metrics, its credentials' report.

What is counted goes on through a reload; the log takes on another level and form.

Rule: who reads it, over which listener, is the business of `host.py`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeAlias

from structlog.typing import FilteringBoundLogger

from gateway.app.credentials import make_credentials
from gateway.app.gateway import Gateway
from gateway.app.requirements import Found, Requirements
from gateway.app.shortage import Shortage
from gateway.config.binds import Bind
from gateway.config.cautions import cautions
from gateway.config.load import Loaded
from gateway.config.model import Config
from gateway.config.sections import LogConfig
from gateway.engine.descriptors import count_callers, count_needed, raise_limit
from gateway.ops.credential_log import CredentialLog
from gateway.ops.credential_metrics import CredentialMetrics
from gateway.ops.credential_report import CredentialReport
from gateway.ops.fanout import CredentialFanout, Fanout
from gateway.ops.log_output import lines_of
from gateway.ops.metrics import Gauges, Metrics
from gateway.ops.rate_metrics import RateMetrics
from gateway.ops.request_log import RequestLog
from gateway.stores.open import open_store

OpenLog: TypeAlias = Callable[[LogConfig], FilteringBoundLogger]


def warn(log: FilteringBoundLogger, config: Config, before: Config | None = None) -> None:
    """Log what may not be meant, unless it was so `before`."""
    known = set(cautions(before)) if before is not None else set()
    for caution in cautions(config):
        if caution not in known:
            log.warning(str(caution))


class Service:
    """A gateway, its log, its metrics and its report."""

    def __init__(
        self,
        config: Config,
        open_log: OpenLog,
        tell_required: Callable[[Found], None] = lambda _: None,
    ) -> None:
        """Serve nobody yet; `tell_required` hears what of `ops.ready_requires` is there."""
        self._open_log = open_log
        self.log = open_log(config.log)
        self.metrics = Metrics()
        self._told = CredentialLog(self.log)
        self._requests = RequestLog(self.log, config.log.requests)
        self._counted = CredentialMetrics(self.metrics.registry)
        self._credential_events = CredentialFanout((self._counted, self._told))
        store = open_store(config.stores, os.environ, self._told)
        credentials = make_credentials(config, os.environ, self._credential_events, store)
        self._events = Fanout((self.metrics, self._requests))
        self._tell_in_order()
        self.gateway = Gateway(config, credentials, self._events, os.environ)
        self.report = CredentialReport(
            lambda: self.gateway.credentials.statuses(), lambda: store.trouble
        )
        self.requirements = Requirements(self.gateway, store, tell_required)
        self._store = store
        self._limits = RateMetrics(self.metrics.registry)
        self.metrics.before_scrape(self._sample)
        self.metrics.watch(
            Gauges(
                in_flight=lambda: self.gateway.gate.in_flight,
                open_connections=lambda: self.gateway.gate.connections,
                idle_upstream_connections=self.gateway.idle_upstream_connections,
                surplus_connections=lambda: self.gateway.gate.surplus,
            )
        )

    def warn(self, before: Config | None = None) -> None:
        """Log what may not be meant, unless it was so `before`; have as many files as it takes."""
        warn(self.log, self.config, before)
        self.raise_limits()

    @property
    def config(self) -> Config:
        """Return the configuration that new requests are served by."""
        return self.gateway.config

    @property
    def binds(self) -> list[Bind]:
        """Return where the gateway listens."""
        return self.gateway.binds

    async def change(self, loaded: Loaded) -> list[str]:
        """Serve by another configuration; return the TOML paths of what was made anew.

        Raises `CannotBind` or `OSError`; then nothing has changed.
        """
        before, config = self.config, loaded.config
        credentials = make_credentials(
            config, os.environ, self._credential_events, self._store, self.gateway.credentials
        )
        renewed = await self.gateway.change(config, credentials)
        self.requirements.watch()
        if config.log != before.log:
            self.tell()
            self.log = self._open_log(config.log)
            self._tell_in_order()
            self._told.use(self.log)
            self._requests.use(self.log, config.log.requests)
        return renewed

    def tell(self) -> None:
        """Log and count now the requests that are over."""
        self._events.tell()

    def _tell_in_order(self) -> None:
        """Have a request that is over logged before whatever is logged after its end."""
        lines = lines_of(self.log)
        if lines is not None:
            lines.before_others = self._events.tell

    def watch(self) -> None:
        """Say from now on what the gateway itself cannot see; look after what it requires."""
        self.requirements.watch()
        Shortage(lambda text: self.log.warning(text)).watch()

    def _sample(self) -> None:
        self.tell()
        self._limits.sample(self.gateway.rates.remaining(time.monotonic()))
        self._counted.sample(self.gateway.credentials.statuses(), self._store.trouble)

    def raise_limits(self) -> None:
        """Have as many open files as the limits need, or log how many there are."""
        limits = self.config.limits
        needed = count_needed(limits)
        allowed = raise_limit(needed)
        callers = count_callers(limits, allowed)
        self.gateway.gate.max_connections = callers
        if allowed < needed:
            self.log.warning(
                f"only {allowed} open files are allowed; limits.max_connections and "
                f"limits.max_in_flight need {needed}: raise the hard limit (ulimit -Hn, "
                "LimitNOFILE= of systemd) or lower the two",
                max_connections=callers,
            )

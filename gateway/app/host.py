"""A gateway in its process: the operators' listener, the signals.

Rule 1: the first signal to stop drains, the second one stops; nothing else ends a gateway
that listens.
Rule 2: SIGHUP has the configuration read again.
"""

from __future__ import annotations

import asyncio
import logging
import signal

from gateway.app.gateway import Gateway
from gateway.app.reloading import Read, Reloading
from gateway.app.service import OpenLog, Service
from gateway.config.model import Config
from gateway.engine.listen import CannotBind
from gateway.ops.health import Health
from gateway.ops.server import OpsServer


class Host:
    """A gateway in its process; `read` returns its configuration as it is now."""

    def __init__(self, config: Config, open_log: OpenLog, read: Read | None = None) -> None:
        self._health = Health()
        self._service = service = Service(config, open_log)
        self._ops_bind = config.ops.bind
        self._ops = OpsServer(
            self._health.checks(), service.report.notes, service.metrics, service.report.document
        )
        self._reloading = Reloading(service, read or (lambda: config))
        self._stop = asyncio.Event()
        self._draining: asyncio.Task[int] | None = None
        self._stop_signals = 0

    @property
    def gateway(self) -> Gateway:
        """Return the gateway."""
        return self._service.gateway

    async def open(self) -> None:
        """Listen, or raise `CannotBind`."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_stop_signal)
        self._service.warn()
        await self.gateway.open()
        try:
            ops_bind = await self._ops.start(self._ops_bind)
        except CannotBind:
            await self.gateway.abort()
            raise
        self._health.listening = True
        loop.add_signal_handler(signal.SIGHUP, self._reloading.ask)
        binds = [str(bind) for bind in self.gateway.binds]
        self._service.log.info("listening", binds=binds, ops=str(ops_bind))

    async def until_stopped(self) -> int:
        """Wait for a signal and drain; return the exit code.

        0 after a drain, also one that had to cut what did not finish in time; 1 when a second
        signal ended it.
        """
        await self._stop.wait()
        self._health.draining = True
        await self._reloading.close()
        log, drain_s = self._service.log, self.gateway.config.timeouts.drain_s
        log.info("draining", drain_s=drain_s)
        self._draining = asyncio.create_task(self.gateway.drain())
        if self._stop_signals > 1:
            self._draining.cancel()
        try:
            requests_cut = await self._draining
        except asyncio.CancelledError:
            log.warning("stopped at once", requests_cut=await self.gateway.abort())
            return 1
        finally:
            await self._ops.close()
        log.log(
            logging.WARNING if requests_cut else logging.INFO, "stopped", requests_cut=requests_cut
        )
        return 0

    def _on_stop_signal(self) -> None:
        self._stop_signals += 1
        if self._draining is not None:
            self._draining.cancel()
        self._stop.set()

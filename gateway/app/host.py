"""A gateway in its process: the operators' listener, the signals.

Rule 1: the first signal to stop drains, the second one stops; nothing else ends a gateway
that listens.
Rule 2: SIGHUP has the configuration read again.
"""

from __future__ import annotations

from gateway import __version__
from gateway.app.gateway import Gateway
from gateway.app.reloading import Read, Reloading
from gateway.app.service import OpenLog, Service
from gateway.app.stopping import Stopping
from gateway.config.model import Config
from gateway.engine.listen import CannotBind
from gateway.ops.health import Health
from gateway.ops.log_output import lines_of
from gateway.ops.server import OpsServer


class Host:
    """A gateway in its process; `read` returns its configuration as it is now."""

    def __init__(self, config: Config, open_log: OpenLog, read: Read) -> None:
        self._health = Health()
        self._service = service = Service(config, open_log)
        self._ops_bind = config.ops.bind
        report = service.report
        self._ops = OpsServer(
            self._health.checks(),
            report.notes,
            service.metrics,
            report.document,
            hosts=lambda: self.gateway.config.listener.hosts,
            required=service.requirements.found,
        )
        self._reloading = Reloading(service, read)
        self._stopping = Stopping()

    @property
    def gateway(self) -> Gateway:
        """Return the gateway."""
        return self._service.gateway

    async def open(self) -> None:
        """Listen, or raise `CannotBind`."""
        self._stopping.listen()
        self._reloading.listen()
        self._service.warn()
        try:
            # First: a start that fails must not have spent a token call, of which there are few.
            ops_bind = await self._ops.start(self._ops_bind)
            await self.gateway.open()
        except CannotBind:
            await self._ops.close()
            await self.gateway.abort()
            raise
        self._health.listening = True
        self._service.watch()
        self._reloading.open()
        binds = [str(bind) for bind in self.gateway.binds]
        log = self._service.log
        log.info("listening", version=__version__, binds=binds, ops=str(ops_bind))

    def say(self, text: str) -> None:
        """Print text for a person where the log's lines go, in its turn; nobody waits for it."""
        lines = lines_of(self._service.log)
        if lines is not None:
            lines.msg(text.encode("utf-8", "backslashreplace"))

    async def until_stopped(self) -> int:
        """Wait for a signal and drain; return the exit code.

        0 after a drain, also one that had to cut what did not finish in time; 1 when a second
        signal ended it.
        """
        await self._stopping.asked()
        self._health.draining = True
        await self._reloading.close()
        await self._service.requirements.stop()
        log, drain_s = self._service.log, self.gateway.config.timeouts.drain_s
        log.info("draining", drain_s=drain_s)
        try:
            stopped = await self._stopping.drain(self.gateway.drain(), self.gateway.abort)
        finally:
            await self._ops.close()
            self._service.tell()
        return stopped.tell(log)

"""The parent of several workers: it has the sockets, the signals, the operators' listener.

It serves no request. Listening sockets are its own and stay open whatever becomes of a
worker; what operators see is added up from what workers report.

Rule 1: the gateway is ready while one worker serves: a worker that ended is replaced here,
        and no orchestrator needs to do more.
Rule 2: SIGHUP has the configuration read and checked here; only then workers are replaced,
        one after the other.
"""

from __future__ import annotations

import asyncio

from gateway import __version__
from gateway.app.crew import Crew
from gateway.app.hand import WorkerFailed
from gateway.app.job import Job
from gateway.app.opened import Change, Opened, prepare
from gateway.app.reloading import Read, Reloading
from gateway.app.service import OpenLog, warn
from gateway.app.shortage import Shortage
from gateway.app.stopping import Stopping
from gateway.config.binds import Bind
from gateway.config.load import Loaded
from gateway.config.model import Config
from gateway.engine.drain import ACCEPT_S
from gateway.engine.listen import hold_off
from gateway.errors import ConfigError, Problem
from gateway.ops.health import Health
from gateway.ops.server import OpsServer
from gateway.ops.sums import FleetMetrics


class Foreman:
    """A gateway of `size` workers; `read` returns its configuration as it is now."""

    def __init__(self, loaded: Loaded, open_log: OpenLog, read: Read, size: int) -> None:
        self._loaded = loaded
        self._open_log = open_log
        self.log = open_log(loaded.config.log)
        self._health = Health()
        self._opened: list[Opened] = []
        metrics = FleetMetrics()
        self._crew = crew = Crew(size, lambda: self.log, metrics)
        checks = {**self._health.checks(), "workers": crew.check}
        self._ops = OpsServer(
            checks,
            crew.notes,
            metrics,
            crew.document,
            crew.refresh,
            lambda: self.config.listener.hosts,
            self._required,
        )
        self._reloading = Reloading(self, read)
        self._stopping = Stopping()

    @property
    def config(self) -> Config:
        """Return the configuration that new workers serve by."""
        return self._loaded.config

    @property
    def binds(self) -> list[Bind]:
        """Return where the workers listen."""
        return [bind for opened in self._opened for bind in opened.binds]

    def warn(self, before: Config | None = None) -> None:
        """Log what may not be meant, unless it was so `before`."""
        warn(self.log, self.config, before)

    async def open(self) -> None:
        """Listen with every worker; raises `CannotBind` or `WorkerFailed`."""
        self._stopping.listen()
        self._reloading.listen()
        self.warn()
        self._opened = (await prepare([], self.config.listener.bind)).after
        try:
            ops_bind = await self._ops.start(self.config.ops.bind)
            await self._crew.open(Job(self._loaded.tree, self._opened))
        except BaseException:
            self._close_sockets()
            await self._ops.close()
            raise
        self._health.listening = True
        self._reloading.open()
        Shortage(lambda text: self.log.warning(text)).watch()
        self.log.info(
            "listening",
            version=__version__,
            binds=[str(bind) for bind in self.binds],
            ops=str(ops_bind),
            workers=self._workers(),
        )

    async def change(self, loaded: Loaded) -> list[str]:
        """Replace every worker by one with another configuration; return the new ones.

        Raises `CannotBind`, or `ConfigError` when no worker serves by it; then nothing has changed.
        """
        change = await prepare(self._opened, loaded.config.listener.bind)

        async def proven() -> None:
            before, self._loaded, self._opened = self.config, loaded, change.after
            if loaded.config.log != before.log:
                self.log = self._open_log(loaded.config.log)
            await self._let_go(change)

        try:
            await self._crew.roll(Job(loaded.tree, change.after), proven)
        except WorkerFailed as failed:
            raise ConfigError((Problem("", f"a worker by this configuration {failed}"),)) from None
        finally:
            if self._loaded is not loaded:
                change.discard()
        return self._workers()

    async def until_stopped(self) -> int:
        """Wait for a signal and drain; return the exit code, as `Host` does."""
        await self._stopping.asked()
        self._health.draining = True
        await self._reloading.close()
        self.log.info("draining", drain_s=self.config.timeouts.drain_s)
        try:
            stopped = await self._stopping.drain(self._drain(), self._abort)
        finally:
            await self._ops.close()
        return stopped.tell(self.log)

    def _required(self) -> dict[str, str | None]:
        return self._crew.required() if self.config.ops.ready_requires else {}

    def _workers(self) -> list[str]:
        return [f"worker {hand.pid}" for hand in self._crew.serving]

    async def _drain(self) -> int:
        await self._hold_off(self._opened)
        self._close_sockets()
        return await self._crew.drain(self.config.timeouts.drain_s)

    async def _abort(self) -> int:
        self._close_sockets()
        return await self._crew.abort()

    async def _let_go(self, change: Change) -> None:
        """Stop listening where the next workers will not."""
        if change.gone:
            await self._hold_off(change.gone)
        for opened in change.gone:
            opened.close()

    async def _hold_off(self, opened: list[Opened]) -> None:
        """Let the workers take in what has reached the sockets, and nothing more."""
        for one in opened:
            one.remove_files()
            for sock in one.sockets:
                hold_off(sock)
        await asyncio.sleep(ACCEPT_S)

    def _close_sockets(self) -> None:
        for opened in self._opened:
            opened.close()

"""Reading the configuration again while the gateway serves: whole, or not at all.

Everything that can be wrong is found before anything is touched, and told at once, as
`check` does. Then the service changes in one step, between two requests.

Rule 1: one reload at a time; who asks meanwhile causes one more, which reads anew.
Rule 2: whatever goes wrong, the gateway goes on as it was, and a line says why.
Rule 3: changes are told by TOML path, never by value.
"""

from __future__ import annotations

import asyncio
import errno
import signal
from collections.abc import Callable
from typing import Protocol, TypeAlias

from structlog.typing import FilteringBoundLogger

from gateway.config.binds import Bind
from gateway.config.changes import changed_paths, refusals, unheeded
from gateway.config.load import Loaded
from gateway.config.model import Config
from gateway.engine.listen import CannotBind
from gateway.errors import ConfigError, Problem

Read: TypeAlias = Callable[[], Loaded]

# A reload takes a fraction of it, unless a name server is slow.
_CLOSE_WITHIN_S = 1.0


class Reloadable(Protocol):
    """What serves by a configuration, in this process or in others."""

    log: FilteringBoundLogger

    @property
    def config(self) -> Config:
        """Return the configuration that it serves by."""
        ...

    @property
    def binds(self) -> list[Bind]:
        """Return where it listens."""
        ...

    async def change(self, loaded: Loaded) -> list[str]:
        """Serve by another configuration; return what was made anew.

        Raises `ConfigError`, `CannotBind` or `OSError`; then nothing has changed.
        """
        ...

    def warn(self, before: Config | None = None) -> None:
        """Log what may not be meant, unless it was so `before`."""
        ...


class Reloading:
    """Reloads a service; `read` returns the configuration as it is now, or raises `ConfigError`."""

    def __init__(self, service: Reloadable, read: Read) -> None:
        self._service = service
        self._read = read
        self._started = service.config
        self._is_wanted = False
        self._is_open = False
        self._task: asyncio.Task[None] | None = None

    def listen(self) -> None:
        """Take SIGHUP from now on, also one that was blocked; before `open` it is kept for then."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.ask)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGHUP,))

    def open(self) -> None:
        """Begin to reload: the service serves."""
        self._is_open = True
        if self._is_wanted:
            self.ask()

    def ask(self) -> None:
        """Have the configuration read, again if it is being read just now."""
        self._is_wanted = True
        if self._task is None and self._is_open:
            self._task = asyncio.get_running_loop().create_task(self._reload_while_wanted())

    async def close(self) -> None:
        """Reload no more, for the rest of the process; one that is under way may end."""
        self._is_open, self._is_wanted = False, False
        if (task := self._task) is not None:
            await asyncio.wait((task,), timeout=_CLOSE_WITHIN_S)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        # One that comes while the process ends would end it as a signal does.
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    async def _reload_while_wanted(self) -> None:
        try:
            while self._is_wanted:
                self._is_wanted = False
                await self._reload()
        finally:
            self._task = None

    async def _reload(self) -> None:
        log = self._service.log
        try:
            await self._change()
        except ConfigError as error:
            problems = [" ".join(str(problem).splitlines()) for problem in error.problems]
            log.error("reload refused", problems=problems)
        # The border: a bug here must not end the gateway.
        except Exception as bug:
            log.error("reload failed", exc_info=bug)

    async def _change(self) -> None:
        """Change the service, or raise `ConfigError` with every problem."""
        before = self._service.config
        # It reads files and looks at certificates; requests go on meanwhile.
        loaded = await asyncio.to_thread(self._read)
        if problems := tuple(refusals(before, loaded.config)):
            raise ConfigError(problems)
        try:
            renewed = await self._service.change(loaded)
        except CannotBind as error:
            raise ConfigError((Problem("listener.bind", str(error)),)) from None
        except OSError as error:
            raise ConfigError((Problem("", _tell_failure(error)),)) from None
        self._tell(before, loaded.config, renewed)

    def _tell(self, before: Config, config: Config, renewed: list[str]) -> None:
        service = self._service
        service.warn(before)
        for problem in unheeded(self._started, config):
            service.log.warning(str(problem))
        service.log.info(
            "reloaded",
            changed=changed_paths(before, config),
            renewed=renewed,
            binds=[str(bind) for bind in service.binds],
        )


def _tell_failure(error: OSError) -> str:
    """Return what stands in the way of a configuration that was found good."""
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return "no file descriptor is left for it (ulimit -n)"
    # A file of authorities that was there when it was checked.
    return f"a ca_file cannot be used: {error.strerror}"

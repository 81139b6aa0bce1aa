"""The process: its event loop, one gateway in it or several workers, or the simulator, too.

Rule: what shows only when the gateway starts leaves here as `CannotBind` or `ConfigError`,
before a request was served.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import uvloop
from structlog.typing import FilteringBoundLogger

from gateway.app.foreman import Foreman
from gateway.app.hand import WorkerFailed
from gateway.app.host import Host
from gateway.app.memory import settle_memory
from gateway.app.worker import run as run_worker
from gateway.config.compile import count_workers
from gateway.config.load import Loaded
from gateway.config.sections import LogConfig
from gateway.engine.server import parser_kind
from gateway.errors import ConfigError, Problem
from gateway.ops.log_output import open_log
from gateway.ops.request_log import shorten as shorten_request

if TYPE_CHECKING:
    from gateway.app.simulated import Announce


def run(load: Callable[[], Loaded], announce: Announce | None = None) -> int:
    """Serve until a signal says stop, with the simulator if `announce` is given; return exit code.

    `load` returns the configuration, or raises `ConfigError`; it is called at start and for each
    reload, then in a thread.
    `announce` is called once it listens, with its first TCP bind, or the first one when all are
    Unix sockets, and the simulator's examples; what it returns is printed.
    Raises `CannotBind`, or `ConfigError` for what shows only now.
    """
    if parser_kind() != "c":
        raise ConfigError((Problem("", "aiohttp is installed without its C parser; reinstall it"),))
    loaded = load()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if announce is not None:
            from gateway.app.simulated import serve_simulated

            return runner.run(serve_simulated(loaded, load, _open_log, announce))
        workers = count_workers(loaded.config, _count_cpus())
        if workers == 1:
            return runner.run(_serve(loaded, load))
        return runner.run(_serve_with(loaded, load, workers))


def work(descriptor: int) -> int:
    """Serve as one of several workers; `descriptor` is the parent's socket.

    Raises `ConfigError` for what shows only now.
    """
    return run_worker(descriptor, _open_log)


async def _serve(loaded: Loaded, load: Callable[[], Loaded]) -> int:
    host = Host(loaded.config, _open_log, load)
    await host.open()
    settle_memory()
    return await host.until_stopped()


async def _serve_with(loaded: Loaded, load: Callable[[], Loaded], workers: int) -> int:
    foreman = Foreman(loaded, _open_log, load, workers)
    try:
        await foreman.open()
    except WorkerFailed as failed:
        foreman.log.error(f"a worker {failed}; what it said stands above")
        return 1
    return await foreman.until_stopped()


def _count_cpus() -> int:
    """Return how many CPUs this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _open_log(config: LogConfig) -> FilteringBoundLogger:
    return open_log(config.level, config.format, shorten=shorten_request)

"""The process: its event loop, its garbage collector, the simulator beside the gateway.

Rule: what shows only when the gateway starts leaves here as `CannotBind` or `ConfigError`,
before a request was served.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import TypeAlias

import uvloop
from structlog.typing import FilteringBoundLogger

from gateway.app.host import Host
from gateway.config.binds import Bind
from gateway.config.load import Loaded
from gateway.config.model import Config
from gateway.config.sections import LogConfig
from gateway.config.simulated import Accounts, point_at
from gateway.engine.server import parser_kind
from gateway.errors import ConfigError, Problem
from gateway.ops.log_output import open_log
from gateway.ops.request_log import shorten as shorten_request
from gateway.simulator import (
    CLIENT_ID,
    CLIENT_SECRET,
    DIGITAL_TOKEN,
    JWT,
    LEGACY_PASSWORD,
    LEGACY_USERNAME,
    Examples,
)
from gateway.simulator import start as start_simulator

# With this, and what was built at start left out, a request costs 0.91 of the CPU and the process
# a megabyte more (64 connections, median of 11 paired runs; 0.96 with Python's 700). 20,000 and
# 100,000 gain nothing further.
_YOUNG_OBJECTS = 10_000

_ACCOUNTS = Accounts(CLIENT_ID, CLIENT_SECRET, JWT, LEGACY_USERNAME, LEGACY_PASSWORD, DIGITAL_TOKEN)

Announce: TypeAlias = Callable[[Bind, Examples], None]


def run(
    load: Callable[[], Loaded], *, simulator: bool = False, announce: Announce | None = None
) -> int:
    """Serve until a signal says stop; return the exit code.

    `load` returns the configuration, or raises `ConfigError`; it is called at start and for each
    reload, then in a thread.
    `announce` is called once it listens, with its first TCP bind, or the first one when all are
    Unix sockets, and the simulator's examples.
    Raises `CannotBind`, or `ConfigError` for what shows only now.
    """
    if parser_kind() != "c":
        raise ConfigError((Problem("", "aiohttp is installed without its C parser; reinstall it"),))
    config = load().config
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(config, load, announce if simulator else None))


async def _serve(config: Config, load: Callable[[], Loaded], announce: Announce | None) -> int:
    simulator = await start_simulator() if announce is not None else None

    def adapt(config: Config) -> Config:
        return config if simulator is None else point_at(config, simulator.origin, _ACCOUNTS)

    try:
        host = Host(adapt(config), _open_log, lambda: adapt(load().config))
        await host.open()
        settle_collector()
        if simulator is not None and announce is not None:
            binds = host.gateway.binds
            bind = next((bind for bind in binds if bind.path is None), binds[0])
            announce(bind, simulator.examples)
        return await host.until_stopped()
    finally:
        if simulator is not None:
            await simulator.close()


def _open_log(config: LogConfig) -> FilteringBoundLogger:
    return open_log(config.level, config.format, shorten=shorten_request)


def settle_collector() -> None:
    """Keep garbage collections away from what was built at start, and make them rarer."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])

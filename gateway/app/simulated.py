"""The gateway with the embedded simulator beside it: one process, one event loop.

Rule: nobody imports this but for `serve --simulator`; a gateway in front of the vendor is
not to wait for the simulator at its start, nor to hold it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from gateway.app.host import Host
from gateway.app.memory import settle_memory
from gateway.app.service import OpenLog
from gateway.config.binds import Bind
from gateway.config.load import Loaded
from gateway.config.simulated import Accounts, point_at
from gateway.simulator import (
    CLIENT_ID,
    CLIENT_SECRET,
    DIGITAL_TOKEN,
    JWT,
    LEGACY_PASSWORD,
    LEGACY_USERNAME,
    Examples,
    start,
)

_ACCOUNTS = Accounts(CLIENT_ID, CLIENT_SECRET, JWT, LEGACY_USERNAME, LEGACY_PASSWORD, DIGITAL_TOKEN)

Announce: TypeAlias = Callable[[Bind, Examples], str]


async def serve_simulated(
    loaded: Loaded, load: Callable[[], Loaded], open_log: OpenLog, announce: Announce
) -> int:
    """Serve until a signal says stop; return the exit code.

    What `announce` returns is printed; it is called as `process.run` says.
    Raises what `Host.open` does.
    """
    simulator = await start()

    def adapt(loaded: Loaded) -> Loaded:
        return replace(loaded, config=point_at(loaded.config, simulator.origin, _ACCOUNTS))

    try:
        host = Host(adapt(loaded).config, open_log, lambda: adapt(load()))
        await host.open()
        settle_memory()
        binds = host.gateway.binds
        bind = next((bind for bind in binds if bind.path is None), binds[0])
        host.say(announce(bind, simulator.examples))
        return await host.until_stopped()
    finally:
        await simulator.close()

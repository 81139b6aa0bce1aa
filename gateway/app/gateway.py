"""The data plane: opened whole, or not at all; changed in one step; closed without a loss.

Rule 1: the order of closing is drain, sockets, pools, credentials.
Rule 2: a change is prepared before anything is touched; what can fail fails there.
Rule 3: what a configuration had and the next one has not is closed after the last request
        that began with it.
Rule 4: this module knows nothing of logs, metrics and signals; who listens is passed in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.app.credentials import Credentials
from gateway.app.listening import Listening
from gateway.app.opened import Change, Opened
from gateway.app.rate_secret import rate_secret
from gateway.app.ways import Ways, make_ways
from gateway.config.binds import Bind
from gateway.config.compile import compile_policy
from gateway.config.model import Config
from gateway.engine.drain import cut, drain, retire
from gateway.engine.events import Events
from gateway.engine.gate import Gate
from gateway.engine.listen import CannotBind
from gateway.engine.pcre2 import accelerate
from gateway.engine.pool import Pool
from gateway.engine.server import Server
from gateway.engine.way import Outfit
from gateway.policy.rates import RateMode, Rates


@dataclass(frozen=True, slots=True)
class Plant:
    """What serves one configuration."""

    config: Config
    credentials: Credentials
    ways: Ways
    outfit: Outfit

    def new_since(self, before: Plant) -> list[str]:
        """Return the TOML paths of what was made anew, and not kept from `before`."""
        upstreams = [f"upstreams.{name}" for name in self.ways.new_since(before.ways)]
        names = self.credentials.new_since(before.credentials)
        return upstreams + [f"credentials.{name}" for name in names]


class Gateway:
    """The data plane; `binds` is where it listens once open.

    `environ` names the proxies that the configuration does not, and holds their credentials.
    """

    def __init__(
        self,
        config: Config,
        credentials: Credentials,
        events: Events,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._environ = environ or {}
        self.rates = Rates(RateMode(config.rates.mode), rate_secret(config.stores, self._environ))
        self._plant = self._make(config, credentials, events, None)
        self.gate = Gate(self._plant.outfit)
        self._listening = Listening(self.gate)
        # Other processes serve the same sockets, and will when this one has stopped.
        self.is_shared = False
        self._retiring: set[asyncio.Task[None]] = set()

    @property
    def config(self) -> Config:
        """Return the configuration that new requests are served by."""
        return self._plant.config

    @property
    def credentials(self) -> Credentials:
        """Return the credentials of new requests."""
        return self._plant.credentials

    @property
    def pools(self) -> dict[str, Pool]:
        """Return the pools of new requests."""
        return self._plant.ways.pools

    @property
    def binds(self) -> list[Bind]:
        """Return where it listens."""
        return self._listening.binds

    @property
    def servers(self) -> list[Server]:
        """Return what makes and has the connections of callers."""
        return self._listening.servers

    async def open(self, inherited: Sequence[Opened] | None = None) -> None:
        """Listen on every bind, or raise `CannotBind` and listen on none.

        `inherited` sockets are served by other processes, too, and are all there are.
        """
        if inherited is not None:
            self.is_shared = True
            await self._listening.commit(Change(list(inherited), list(inherited), []))
            self.credentials.open()
            return
        try:
            change = await self._listening.prepare(self.config.listener.bind)
        except CannotBind:
            await self.credentials.close()
            raise
        await self._listening.commit(change)
        self.credentials.open()

    async def change(self, config: Config, credentials: Credentials) -> list[str]:
        """Serve what begins from now on by another configuration; return what was made anew.

        `credentials` may share parts, and must share the store, with those before. Raises
        `CannotBind`, or `OSError` for a file of authorities; then nothing has changed.
        """
        before = self._plant
        after = self._make(config, credentials, before.outfit.events, before.ways)
        change = await self._listening.prepare(config.listener.bind)
        self._plant = after
        over = self.gate.change(after.outfit)
        for pool in after.ways.pools.values():
            pool.max_idle = config.limits.max_in_flight
        credentials.open(before.credentials)
        self._retire(before, after, over)
        await self._listening.commit(change)
        return after.new_since(before)

    async def drain(self) -> int:
        """Stop, and let requests finish; return how many were cut when the time was up."""
        listening = self._listening
        listening.remove_files()
        drain_s = self.config.timeouts.drain_s
        requests = await drain(
            self.gate,
            listening.listening,
            listening.servers,
            drain_s,
            shared=self.is_shared,
        )
        await listening.settle()
        await self._close_upstream()
        return requests

    async def retire(self) -> None:
        """Leave new connections to other processes, and end those here with their answers."""
        await retire(self.gate, self._listening.listening)

    async def emptied(self) -> None:
        """Return when the last connection has ended, and all is closed that served it."""
        await self.gate.emptied()
        await self._close_upstream()

    async def abort(self) -> int:
        """Stop at once: what is under way is cut, and told of; return how many requests."""
        self._listening.close()
        requests = await cut(self.gate, self._listening.servers)
        await self._listening.settle()
        await self._close_upstream()
        return requests

    def idle_upstream_connections(self) -> int:
        """Return how many connections wait in the pools."""
        return sum(pool.idle_count for pool in self.pools.values())

    def _make(
        self, config: Config, credentials: Credentials, events: Events, before: Ways | None
    ) -> Plant:
        ways = make_ways(config, credentials, self._environ, self.rates, before)
        policy = compile_policy(config, accelerate)
        outfit = Outfit(
            policy,
            config.limits,
            config.timeouts,
            ways.by_name,
            events,
            fast_lane=config.engine.fast_lane,
        )
        return Plant(config, credentials, ways, outfit)

    def _retire(self, before: Plant, after: Plant, over: asyncio.Future[None]) -> None:
        """Have closed what `after` has not, once the requests that may use it are over."""

        async def retire() -> None:
            await over
            for name, pool in before.ways.pools.items():
                if after.ways.pools.get(name) is not pool:
                    pool.close()
            await before.credentials.retire(after.credentials)

        task = asyncio.get_running_loop().create_task(retire())
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _close_upstream(self) -> None:
        # No request is left, so these end by themselves.
        await asyncio.gather(*self._retiring)
        for pool in self.pools.values():
            pool.close()
        await self.credentials.close()

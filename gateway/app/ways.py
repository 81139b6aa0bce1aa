"""The ways to the upstreams of a configuration; what another one would make the same is kept.

A pool holds idle connections and a circuit, and beside it there is a budget of retries:
what was learned about an origin. A reload that does not concern the origin does not throw
it away. So each pool is compared by all that it is made of, and so is the toll.

Rule 1: what is kept is the object itself, so that both configurations share it.
Rule 2: what limits only the size of a pool is set, and makes no other pool of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gateway.app.credentials import Credentials
from gateway.app.ingredients import Ingredients, connection_of
from gateway.config.compile import retry_rules
from gateway.config.model import Config
from gateway.config.proxies import proxy_of
from gateway.engine.connect import Connector
from gateway.engine.fleet_budgets import FleetBudgets
from gateway.engine.pool import Pool
from gateway.engine.tls import TlsContexts
from gateway.engine.toll import Toll
from gateway.engine.way import Way
from gateway.policy.rates import RateMode, Rates
from gateway.policy.retries import RetryBudget


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways of one configuration by upstream, and what each pool and the toll are made of."""

    by_name: Mapping[str, Way]
    made_of: Mapping[str, Ingredients]
    toll: Toll
    toll_made_of: Ingredients

    @property
    def pools(self) -> dict[str, Pool]:
        """Return the pools by upstream."""
        return {name: way.pool for name, way in self.by_name.items()}

    def new_since(self, before: Ways) -> list[str]:
        """Return the upstreams whose pools are not those of `before`."""
        kept = before.pools
        return [name for name, pool in self.pools.items() if kept.get(name) is not pool]

    def kept_way(self, name: str, ingredients: Ingredients) -> Way | None:
        """Return the way to an upstream if it is made of the same."""
        return self.by_name[name] if self.made_of.get(name) == ingredients else None


def make_ways(
    config: Config,
    credentials: Credentials,
    environ: Mapping[str, str],
    rates: Rates,
    before: Ways | None = None,
) -> Ways:
    """Return the ways of a configuration, parts of `before` where they are the same.

    Raises `OSError` (`ssl.SSLError` is one) when a `ca_file` cannot be read.
    """
    now, rules = asyncio.get_running_loop().time(), retry_rules(config)
    made_of = {name: connection_of(name, config, environ) for name in config.upstreams}
    # Only what a fleet counts is named by them.
    identities = credentials.identities if config.stores.redis is not None else {}
    toll_made_of = (config.rates, config.stores.redis, identities)
    is_same = before is not None and before.toll_made_of == toll_made_of
    toll = before.toll if before and is_same else _make_toll(config, credentials, rates)
    ways: dict[str, Way] = {}
    contexts = TlsContexts()
    for name, table in config.upstreams.items():
        kept = before.kept_way(name, made_of[name]) if before else None
        pool = kept.pool if kept else _make_pool(name, config, environ, contexts)
        budget = kept.budget if kept else RetryBudget(now)
        ways[name] = Way(pool, credentials.by_name.get(table.credential), rules, budget, toll)
    return Ways(ways, made_of, toll, toll_made_of)


def _make_pool(
    name: str, config: Config, environ: Mapping[str, str], contexts: TlsContexts
) -> Pool:
    loop, table = asyncio.get_running_loop(), config.upstreams[name]
    connector = Connector(
        loop,
        table.origin,
        config.timeouts.connect_s,
        Path(table.ca_file) if table.ca_file else None,
        partial(proxy_of, table.origin, table, environ),
        contexts,
    )
    return Pool(loop, connector, config.limits.max_in_flight)


def _make_toll(config: Config, credentials: Credentials, rates: Rates) -> Toll:
    return Toll(
        rates.in_mode(RateMode(config.rates.mode)),
        FleetBudgets(credentials.store, credentials.identities)
        if config.stores.redis is not None
        else None,
        max_wait_s=config.rates.max_wait_s,
        max_queue=config.rates.max_queue,
    )

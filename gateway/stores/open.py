"""From `[stores]` to the store that it asks for.

Rule: what a store needs beyond the standard library is imported here or below, and only
when the configuration asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from gateway.config.secrets import Unresolved
from gateway.config.stores import StoresConfig, resolve_key, resolve_redis
from gateway.errors import ConfigError, Problem
from gateway.stores.events import Events
from gateway.stores.file import FileStore
from gateway.stores.memory import MemoryStore
from gateway.stores.store import Store

T = TypeVar("T")


def open_store(stores: StoresConfig, environ: Mapping[str, str], events: Events) -> Store:
    """Make the store; nothing is opened before it is used. `ConfigError` if a secret is gone."""
    store = _open_plain(stores, environ, events)
    reference = stores.key
    if reference is None:
        return store
    from gateway.stores.sealed import Sealed

    return Sealed(store, resolved("stores.key", lambda: resolve_key(reference, environ)), events)


def _open_plain(stores: StoresConfig, environ: Mapping[str, str], events: Events) -> Store:
    given = stores.redis
    if given is not None:
        from gateway.stores.redis import RedisStore

        address = resolved("stores.redis", lambda: resolve_redis(given, environ))
        return RedisStore(
            address,
            events,
            prefix=stores.redis_prefix,
            ca_file=stores.redis_ca_file,
            lease_s=stores.lease_s,
            # A store that is back is seen well before a lease runs out.
            retry_s=min(1.0, stores.lease_s / 10),
        )
    if stores.file:
        return FileStore(stores.file, events, lease_s=stores.lease_s)
    return MemoryStore()


def resolved(path: str, resolve: Callable[[], T]) -> T:
    """Return what a reference at a TOML path leads to, or raise `ConfigError`."""
    try:
        return resolve()
    except Unresolved as error:
        raise ConfigError((Problem(path, str(error)),)) from None

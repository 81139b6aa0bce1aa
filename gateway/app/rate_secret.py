"""What keys the hash of a caller's own token, in the names of what its requests are charged to.

Alone, a process draws it. Gateways that share a store count one caller under one name, so
they need the same one: it descends from `stores.key`, and where there is none, from nothing
secret. A random key kept in Redis would guard no more: who reads the names there reads it,
too. What keeps a token from being found by its hash is that the vendor's are random.

Rule: it is not the key that seals, nor leads back to it.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping

from gateway.config.stores import StoresConfig, resolve_key
from gateway.stores.open import resolved

_PURPOSE = b"rc-gateway: names of callers in shared rates"


def rate_secret(stores: StoresConfig, environ: Mapping[str, str]) -> bytes:
    """Return 32 bytes, the same for all who share a Redis. `ConfigError` if the key is gone."""
    if stores.redis is None:
        return secrets.token_bytes(32)
    reference, key = stores.key, b""
    if reference is not None:
        key = resolved("stores.key", lambda: resolve_key(reference, environ)).reveal()
    return hmac.digest(key, _PURPOSE, "sha256")

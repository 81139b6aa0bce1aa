"""What a connection to an upstream is made of: two that are made of the same are the same.

Pools and brokers that survive a reload are compared by it. A file counts by its content,
because authorities are often replaced under the same name.

Rule: secrets are in it as `Secret` or as digests, so that it can be compared, not shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from gateway.config.model import Config
from gateway.config.proxies import find_proxy

Ingredients: TypeAlias = tuple[object, ...]


def connection_of(name: str, config: Config, environ: Mapping[str, str]) -> Ingredients:
    """Return all that makes a connection to the upstream `name` what it is.

    Raises `OSError` when its `ca_file` cannot be read.
    """
    table = config.upstreams[name]
    return (
        table.origin,
        config.timeouts.connect_s,
        stamp_of(table.ca_file),
        find_proxy(table.origin, table, environ),
        table.proxy_auth,
    )


def stamp_of(file: str) -> str:
    """Return a text that changes when a file's content does; "" for no file."""
    return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else ""

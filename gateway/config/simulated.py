"""The configuration with the vendor replaced by the simulator.

Listeners, limits, queries, routes and tunnels stay as configured, so that what is tried with the
simulator is what will run without it.

Rule: no origin and no credential of the real vendor is left in the result.
"""

from __future__ import annotations

from typing import Any

from gateway.config.model import Config, CredentialConfig, UpstreamConfig
from gateway.config.presets import PRESETS
from gateway.config.secrets import parse_reference

_CREDENTIAL = "simulator"


def point_at(config: Config, origin: str, token: str) -> Config:
    """Return the configuration with every upstream on and at `origin`, `token` its secret."""
    upstreams: dict[str, UpstreamConfig] = {}
    for name, preset in PRESETS.items():
        upstream = config.upstreams.get(name)
        table: dict[str, Any] = {
            "origin": origin,
            "credential": _CREDENTIAL,
            "routes": list(upstream.routes if upstream else preset.routes),
            "tunnel": upstream.tunnel if upstream else "off",
        }
        upstreams[name] = UpstreamConfig.model_validate(table)
    credential = CredentialConfig(grant="static", token=parse_reference(f"literal:{token}"))
    return config.model_copy(
        update={"upstreams": upstreams, "credentials": {_CREDENTIAL: credential}}
    )

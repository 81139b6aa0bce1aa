"""The configuration with the vendor replaced by the simulator.

Listeners, limits, queries, routes and tunnels stay as configured, so that what is tried
with the simulator is what will run without it. The simulator's credentials are had as the
vendor's are: by JWT, by exchange, by login.

Rule: no origin, no credential and no store of the real vendor is left in the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.config.model import Config, CredentialConfig, UpstreamConfig
from gateway.config.presets import PRESETS
from gateway.config.stores import StoresConfig

# The credential of each upstream; the others have that of the platform.
_PLATFORM = "simulator"
_OWN = {
    "ringcx": "simulator-ringcx",
    "engage_legacy": "simulator-legacy",
    "engage_digital": "simulator-digital",
}


@dataclass(frozen=True, slots=True)
class Accounts:
    """What opens the simulator: an application with a JWT, a legacy user, a Digital token."""

    client_id: str
    client_secret: str
    jwt: str
    username: str
    password: str
    digital_token: str


def point_at(config: Config, origin: str, accounts: Accounts) -> Config:
    """Return the configuration with every upstream on and at `origin`, as these accounts."""
    upstreams: dict[str, UpstreamConfig] = {}
    for name, preset in PRESETS.items():
        upstream = config.upstreams.get(name)
        table: dict[str, Any] = {
            "origin": origin,
            "credential": _OWN.get(name, _PLATFORM),
            "routes": list(upstream.routes if upstream else preset.routes),
            "tunnel": upstream.tunnel if upstream else "off",
        }
        upstreams[name] = UpstreamConfig.model_validate(table)
    credentials = {
        name: CredentialConfig.model_validate(table)
        for name, table in _credential_tables(accounts).items()
    }
    update = {
        "upstreams": upstreams,
        "credentials": credentials,
        "stores": StoresConfig(),
        # Without a store there is one session, and so one process.
        "engine": config.engine.model_copy(update={"workers": 1}),
    }
    return config.model_copy(update=update)


def _credential_tables(accounts: Accounts) -> dict[str, dict[str, str]]:
    return {
        _PLATFORM: {
            "grant": "jwt",
            "client_id": f"literal:{accounts.client_id}",
            "client_secret": f"literal:{accounts.client_secret}",
            "jwt": f"literal:{accounts.jwt}",
        },
        _OWN["ringcx"]: {"grant": "ringcx", "source": _PLATFORM},
        _OWN["engage_legacy"]: {
            "grant": "engage_legacy",
            "username": f"literal:{accounts.username}",
            "password": f"literal:{accounts.password}",
        },
        _OWN["engage_digital"]: {"grant": "static", "token": f"literal:{accounts.digital_token}"},
    }

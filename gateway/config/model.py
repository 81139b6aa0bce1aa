"""The whole configuration as one frozen value.

`Config` is what everybody to the right is given; each section is a module of its own.
It holds no secret in clear, so it can be shown, logged and compared.

Rule: a key here is public: it is documented, and a later version keeps its meaning.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema

from gateway.config.bounds import Limits, Timeouts
from gateway.config.presets import PRESETS, fill_presets
from gateway.config.section import Section
from gateway.config.sections import (
    EngineConfig,
    LinksConfig,
    ListenerConfig,
    LogConfig,
    OpsConfig,
    QueryConfig,
    RatesConfig,
    RetriesConfig,
    TunnelConfig,
    UserAgentConfig,
)
from gateway.config.stores import StoresConfig
from gateway.config.upstreams import NAME, CredentialConfig, UpstreamConfig

__all__ = ["Config", "CredentialConfig", "Limits", "Timeouts", "UpstreamConfig"]


def _check_upstream(name: str) -> str:
    if name not in PRESETS:
        raise ValueError("unknown upstream")
    return name


UpstreamName = Annotated[
    str, AfterValidator(_check_upstream), WithJsonSchema({"type": "string", "enum": [*PRESETS]})
]
CredentialName = Annotated[str, Field(pattern=NAME)]


def _preset_upstreams() -> dict[str, UpstreamConfig]:
    tree: dict[str, Any] = {}
    fill_presets(tree)
    return {name: UpstreamConfig(**table) for name, table in tree["upstreams"].items()}


class Config(Section):
    """The configuration of one gateway."""

    listener: ListenerConfig = Field(default_factory=ListenerConfig)
    ops: OpsConfig = Field(default_factory=OpsConfig)
    user_agent: UserAgentConfig = Field(default_factory=UserAgentConfig)
    tunnel: TunnelConfig = Field(default_factory=TunnelConfig)
    query: QueryConfig = Field(default_factory=QueryConfig)
    links: LinksConfig = Field(default_factory=LinksConfig)
    rates: RatesConfig = Field(default_factory=RatesConfig)
    retries: RetriesConfig = Field(default_factory=RetriesConfig)
    timeouts: Timeouts = Field(default_factory=Timeouts)
    limits: Limits = Field(default_factory=Limits)
    upstreams: dict[UpstreamName, UpstreamConfig] = Field(
        default_factory=_preset_upstreams,
        description="platform and media are always on, another one when its table is there",
    )
    credentials: dict[CredentialName, CredentialConfig] = Field(default_factory=dict)
    stores: StoresConfig = Field(default_factory=StoresConfig)
    log: LogConfig = Field(default_factory=LogConfig)
    engine: EngineConfig = Field(default_factory=EngineConfig)

"""A gateway in this process whose configuration changes while it serves."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.app import make_credentials
from gateway.config.load import load
from gateway.config.model import Config
from tests.wire import TOKEN, Recorder, Running


def config_for(origin: str, *sets: str, environ: Mapping[str, str] | None = None) -> Config:
    """Return what `wire.running` serves by when it is given the same."""
    settings = (
        *('listener.bind="127.0.0.1:0"', f'upstreams.platform.origin="{origin}"'),
        *(f'upstreams.media.origin="{origin}"', "credentials.ringcentral.grant=static"),
        f'credentials.ringcentral.token="literal:{TOKEN}"',
    )
    return load([], [*settings, *sets], environ or {}).config


async def change(
    gateway: Running, config: Config, environ: Mapping[str, str] | None = None
) -> list[str]:
    """Have a gateway serve by another configuration; return what was made anew."""
    before = gateway.gateway.credentials
    events = Recorder()
    credentials = make_credentials(config, environ or {}, events, before.store, before)
    return await gateway.gateway.change(config, credentials)

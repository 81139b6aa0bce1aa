"""Which credentials are made of a configuration, and of what."""

from collections.abc import Mapping

import pytest

from gateway.app import Credentials, make_credentials
from gateway.config.load import load
from gateway.credentials.broker import Broker
from gateway.credentials.grants.static import StaticCredential
from gateway.credentials.tokens import Status
from gateway.stores.memory import MemoryStore
from tests.wire import Recorder

VENDORS = {"RC_APP_CLIENT_ID": "id", "RC_APP_CLIENT_SECRET": "secret", "RC_USER_JWT": "j.w.t"}


def made(*sets: str, environ: Mapping[str, str] = VENDORS) -> Credentials:
    config = load([], sets, environ, resolve=True).config
    return make_credentials(config, environ, Recorder(), MemoryStore())


async def test_the_vendors_three_variables_are_enough() -> None:
    credentials = made()
    (broker,) = credentials.by_name.values()
    assert isinstance(broker, Broker)
    assert credentials.statuses() == {"ringcentral": Status("jwt")}
    await credentials.close()


async def test_ringcx_has_a_credential_of_its_own_that_exchanges_the_platforms() -> None:
    credentials = made("upstreams.ringcx.routes=['/voice/api']")
    assert [(name, status.grant) for name, status in credentials.statuses().items()] == [
        ("ringcentral", "jwt"),
        ("ringcx", "ringcx"),
    ]
    await credentials.close()


@pytest.mark.parametrize("grant", ["passthrough", "none"])
async def test_what_is_not_the_gateways_is_not_made(grant: str) -> None:
    sets = (f"credentials.ringcentral.grant={grant}", "upstreams.ringcx.routes=['/voice/api']")
    assert made(*sets).by_name == {}


async def test_a_configured_token_needs_no_token_call() -> None:
    credentials = made(
        "credentials.ringcentral.grant=static",
        "credentials.ringcentral.token=literal:secret",
        "upstreams.engage_legacy.origin=https://portal.vacd.biz",
        "upstreams.engage_legacy.credential=legacy",
        "credentials.legacy.grant=engage_legacy",
        "credentials.legacy.token=literal:permanent",
    )
    assert {type(one) for one in credentials.by_name.values()} == {StaticCredential}
    assert set(credentials.by_name) == {"ringcentral", "legacy"}


@pytest.mark.parametrize(
    "sets",
    [
        ("grant=refresh_token", "client_id=literal:i", "refresh_token=literal:r"),
        ("grant=jwt", "client_id=literal:i", "jwt=literal:j", "endpoint_id=mine"),
    ],
)
async def test_every_grant_of_the_platform_is_made(sets: tuple[str, ...]) -> None:
    credentials = made(*(f"credentials.ringcentral.{one}" for one in sets), environ={})
    assert isinstance(credentials.by_name["ringcentral"], Broker)
    await credentials.close()


async def test_a_legacy_login_is_made() -> None:
    credentials = made(
        "upstreams.engage_legacy.origin=https://portal.vacd.biz",
        "upstreams.engage_legacy.credential=legacy",
        "credentials.legacy.grant=engage_legacy",
        "credentials.legacy.username=literal:u",
        "credentials.legacy.password=literal:p",
    )
    assert credentials.statuses()["legacy"].grant == "engage_legacy"
    await credentials.close()

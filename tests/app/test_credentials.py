"""Which credentials are made of a configuration, and of what."""

import ssl
from collections.abc import Mapping
from pathlib import Path

import pytest
import trustme

from gateway.app import Credentials, make_credentials
from gateway.config.load import load
from gateway.credentials.broker import Broker
from gateway.credentials.grants.ringcx import RingcxGrant
from gateway.credentials.grants.static import StaticCredential
from gateway.credentials.tokens import Status
from gateway.engine.tls import TlsContexts
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


async def remade(
    before: Credentials, *sets: str, environ: Mapping[str, str] = VENDORS
) -> Credentials:
    config = load([], sets, environ, resolve=True).config
    return make_credentials(config, environ, Recorder(), before.store, before)


RINGCX = "upstreams.ringcx.routes=['/voice/api']"


async def test_credentials_are_kept_when_nothing_of_them_changes() -> None:
    before = made(RINGCX)
    after = await remade(before, RINGCX, "timeouts.idle_s=5", "upstreams.platform.tunnel=header")
    assert after.by_name == before.by_name
    assert after.new_since(before) == []
    await after.close()


@pytest.mark.parametrize(
    ("sets", "new"),
    [
        (("upstreams.platform.origin=https://example.com",), ["ringcentral", "ringcx"]),
        (("credentials.ringcx.grant=ringcx", "credentials.ringcx.auth_limit=2"), ["ringcx"]),
        (("user_agent.comment=x",), ["ringcentral", "ringcx"]),
    ],
)
async def test_what_is_made_of_something_else_is_made_anew(
    sets: tuple[str, ...], new: list[str]
) -> None:
    before = made(RINGCX)
    after = await remade(before, RINGCX, *sets)
    assert after.new_since(before) == new
    await before.retire(after)
    await after.close()


async def test_a_secret_that_was_written_anew_makes_another_credential(tmp_path: Path) -> None:
    file = tmp_path / "jwt"
    file.write_text("one")
    where = f"credentials.ringcentral.jwt=file:{file}"
    sets = (*(f"credentials.ringcentral.{key}=literal:x" for key in ("client_id",)), where)
    sets = ("credentials.ringcentral.grant=jwt", *sets)
    before = made(*sets)
    assert (await remade(before, *sets)).new_since(before) == []
    file.write_text("two")
    after = await remade(before, *sets)
    assert after.new_since(before) == ["ringcentral"]
    await after.close()


@pytest.mark.parametrize("is_loaded", [True, False], ids=["just loaded", "not yet loaded"])
async def test_what_is_made_while_its_authorities_are_replaced_is_made_anew_at_the_next_reload(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_loaded: bool
) -> None:
    file = tmp_path / "ca.pem"
    former, present = trustme.CA(), trustme.CA()
    former.cert_pem.write_to_path(file)
    sets = (RINGCX, *(f"upstreams.{name}.ca_file={file}" for name in ("platform", "ringcx")))
    find = TlsContexts.find

    def find_and_replace(self: TlsContexts, ca_file: Path | None) -> ssl.SSLContext:
        if not is_loaded:
            present.cert_pem.write_to_path(file)
        found = find(self, ca_file)
        present.cert_pem.write_to_path(file)
        return found

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(TlsContexts, "find", find_and_replace)
        before = made(*sets)
    after = await remade(before, *sets)
    assert after.new_since(before) == ["ringcentral", "ringcx"]
    exchange = after.by_name["ringcx"]
    assert isinstance(exchange, Broker)
    assert isinstance(exchange._renewal.grant, RingcxGrant)
    assert exchange._renewal.grant._source is after.by_name["ringcentral"]
    assert (await remade(after, *sets)).new_since(after) == []
    await before.retire(after)
    await after.close()


async def test_a_token_that_was_exchanged_for_another_users_is_not_taken_over() -> None:
    before = made(RINGCX)
    after = await remade(before, RINGCX, environ={**VENDORS, "RC_USER_JWT": "k.w.t"})

    def key_of(credentials: Credentials) -> str:
        broker = credentials.by_name["ringcx"]
        assert isinstance(broker, Broker)
        return broker._renewal._chains._key

    assert key_of(before) != key_of(after)
    await after.close()


async def test_nor_is_one_that_was_exchanged_for_another_session(tmp_path: Path) -> None:
    file = tmp_path / "refresh"
    sets = (
        *(
            "credentials.ringcentral.grant=refresh_token",
            "credentials.ringcentral.client_id=literal:i",
        ),
        *(f"credentials.ringcentral.refresh_token=file:{file}", RINGCX),
    )
    keys = set()
    for user in ("alice", "bob"):
        file.write_text(user)
        credentials = made(*sets)
        broker = credentials.by_name["ringcx"]
        assert isinstance(broker, Broker)
        keys.add(broker._renewal._chains._key)
        await credentials.close()
    assert len(keys) == 2


async def test_the_identity_tells_applications_apart_that_are_called_the_same() -> None:
    one, same, other = (
        made(environ=VENDORS | {"RC_APP_CLIENT_ID": client_id}) for client_id in ("a", "a", "b")
    )
    assert one.identities == same.identities != other.identities
    assert set(one.identities) == {"ringcentral"}
    for credentials in (one, same, other):
        await credentials.close()


async def test_what_makes_no_token_calls_has_no_identity() -> None:
    static = ("credentials.ringcentral.grant=static", "credentials.ringcentral.token=literal:t")
    assert made(*static).identities == {}
    assert made("credentials.ringcentral.grant=passthrough").identities == {}

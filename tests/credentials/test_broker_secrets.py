"""What a broker does when a configured secret is wrong, corrected, or away for a moment."""

import asyncio
import time
from pathlib import Path

import pytest

from gateway.config.secrets import parse_reference
from gateway.core.secret import Secret
from gateway.credentials.grant import Grant
from gateway.credentials.grants.oauth import OAuthApp, Vault, Wishes
from gateway.credentials.grants.refresh import RefreshGrant
from gateway.errors import CredentialUnavailable
from gateway.stores.memory import MemoryStore
from tests.credentials.brokers import Place, jwt_grant, lasting, place
from tests.credentials.desk import Answer, Desk, desk, endpoint_of
from tests.eventually import eventually

WRONG: Answer = (401, {"error": "invalid_client"})


def vault_at(file: Path, key: str) -> Vault:
    return Vault(
        {
            "client_id": parse_reference("literal:id"),
            "client_secret": parse_reference(f"file:{file}"),
            key: parse_reference("literal:j.w.t"),
        },
        {},
    )


def grant_of(kind: str, service: Desk, store: MemoryStore, file: Path) -> Grant:
    vault = vault_at(file, kind)
    if kind == "jwt":
        return jwt_grant(service, store, vault)
    return RefreshGrant(OAuthApp(endpoint_of(service, store), vault, Wishes("e"), time.time))


@pytest.mark.parametrize("kind", ["jwt", "refresh_token"])
async def test_a_corrected_client_secret_is_tried_at_once(kind: str, tmp_path: Path) -> None:
    file, store = tmp_path / "secret", MemoryStore()
    file.write_text("wrong")
    async with desk(WRONG) as service:
        here = Place(service, store, grant_of(kind, service, store, file), 4, 10.0)
        assert "invalid_client" in (await here.refusal()).message
        file.write_text("right")
        async with asyncio.timeout(10):
            while here.broker.ready() is None:
                try:
                    await here.token()
                except CredentialUnavailable:
                    await asyncio.sleep(0.01)
        await here.broker.close()
    assert len(service.calls) == 2


async def test_a_client_secret_that_is_corrected_during_the_call_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("wrong")
    async with place(WRONG, vault=vault_at(file, "jwt")) as here:
        here.service.open.clear()
        asking = asyncio.create_task(here.token())
        await here.service.came(1)
        file.write_text("right")
        here.service.open.set()
        assert (await asking).value == Secret(b"access-2")


async def test_a_secret_that_is_away_around_a_renewal_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("same")
    async with place(lasting(2), vault=vault_at(file, "jwt"), retry_s=0.05) as here:
        first = await here.token()
        file.unlink()
        await eventually(lambda: here.broker.status().outcome == "unreadable")
        status = here.broker.status()
        assert "client_secret: file" in status.reason
        assert status.retry_at is not None
        file.write_text("same")
        await eventually(lambda: here.broker.ready() not in (first, None))
    assert len(here.service.calls) == 2

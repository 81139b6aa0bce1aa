from pathlib import Path

import pytest

from gateway.core.secret import Secret
from gateway.credentials.chains import name_of
from gateway.credentials.failures import Outcome, TokenCallFailed
from gateway.credentials.grants.engage_legacy import EngageLegacyGrant
from gateway.credentials.holding import Holding
from tests.credentials.desk import desk, endpoint_of, restless_vault, vault_of

USER = {"username": "ada+1@example.com", "password": "p&ss"}


@pytest.mark.parametrize(("stay", "lifetime_s"), [(False, 3600.0), (True, 1_209_600.0)])
async def test_a_login_brings_a_token_that_lives_from_its_last_use(
    stay: bool, lifetime_s: float
) -> None:
    async with desk((200, {"authToken": "baf522ee", "accounts": []})) as service:
        grant = EngageLegacyGrant(
            endpoint_of(service), vault_of(**USER), lambda: 1000.0, stay_logged_in=stay
        )
        holding = await grant.obtain(None, alone=False)
        await grant.close()
    (call,) = service.calls
    assert call.path == "/api/v1/auth/login"
    assert call.form == USER | ({"stayLoggedIn": "true"} if stay else {})
    expected = Holding(Secret(b"baf522ee"), 1000.0, 1000.0 + lifetime_s, grant.seed())
    assert holding == expected
    assert grant.slides


async def test_a_login_is_recorded_under_the_password_that_was_presented(tmp_path: Path) -> None:
    vault = restless_vault(tmp_path, "username", "password")
    async with desk((200, {"authToken": "baf522ee"})) as service:
        grant = EngageLegacyGrant(endpoint_of(service), vault, lambda: 0.0, stay_logged_in=False)
        holding = await grant.obtain(None, alone=False)
        await grant.close()
    assert service.calls[0].form == {"username": "old", "password": "old"}
    known = vault_of(username="old", password="old")
    assert holding.seed == f"{known.fingerprint('username')} {known.fingerprint('password')}"


async def test_a_login_without_a_token_is_an_error() -> None:
    async with desk((200, {"message": "hello"})) as service:
        grant = EngageLegacyGrant(
            endpoint_of(service), vault_of(**USER), lambda: 0.0, stay_logged_in=False
        )
        with pytest.raises(TokenCallFailed, match="not usable") as failed:
            await grant.obtain(None, alone=False)
        await grant.close()
    assert failed.value.outcome is Outcome.ERROR


async def test_what_names_a_record_tells_nothing_of_the_password() -> None:
    async with desk() as service:
        one, other = (
            EngageLegacyGrant(
                endpoint_of(service), vault_of(**secrets), lambda: 0.0, stay_logged_in=False
            ).seed()
            for secrets in (USER, USER | {"password": "another"})
        )
    names = {name_of("token:legacy:1", seed) for seed in (one, other)}
    assert names == {f"token:legacy:1:{vault_of(**USER).fingerprint('username')}"}
    assert one != other

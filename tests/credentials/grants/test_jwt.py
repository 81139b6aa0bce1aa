from pathlib import Path

import pytest

from gateway.core.secret import Secret
from gateway.credentials.failures import Outcome, TokenCallFailed
from gateway.credentials.grants.jwt import GRANT_TYPE, JwtGrant
from gateway.credentials.grants.oauth import OAuthApp, Wishes
from gateway.credentials.holding import Holding
from tests.credentials.desk import (
    Answer,
    app_of,
    desk,
    endpoint_of,
    obtained,
    restless_vault,
    vault_of,
)

HELD = Holding(Secret(b"a0"), 0.0, 100.0, "seed", Secret(b"r0"), 5000.0)
REFUSED: Answer = (400, {"error": "invalid_grant", "errors": [{"errorCode": "OAU-210"}]})


async def test_without_a_session_the_jwt_begins_one() -> None:
    async with desk() as service:
        grant = JwtGrant(app_of(service, jwt="header.payload.sig"))
        holding = await grant.obtain(None, alone=False)
        await grant.close()
    assert service.calls[0].form == {
        "grant_type": GRANT_TYPE,
        "assertion": "header.payload.sig",
        "endpoint_id": "gateway-1",
    }
    assert holding.seed == grant.seed() != ""


async def test_a_session_is_recorded_under_the_jwt_that_was_presented(tmp_path: Path) -> None:
    vault = restless_vault(tmp_path, "client_id", "jwt")
    async with desk() as service:
        endpoint = endpoint_of(service)
        grant = JwtGrant(OAuthApp(endpoint, vault, Wishes("e"), lambda: 1000.0))
        holding = await grant.obtain(None, alone=False)
        await grant.close()
    presented = service.calls[0].form
    assert (presented["client_id"], presented["assertion"]) == ("old", "old")
    assert holding.seed == vault_of(client_id="old", jwt="old").fingerprint("client_id", "jwt")


async def test_a_session_is_refreshed_and_the_jwt_stays_at_home() -> None:
    async with desk() as service:
        grant = JwtGrant(app_of(service, jwt="j.w.t"))
        holding = await obtained(grant, HELD)
        await grant.close()
    (call,) = service.calls
    assert (call.form["grant_type"], call.form["refresh_token"]) == ("refresh_token", "r0")
    assert "assertion" not in call.form
    assert holding.seed == "seed"


async def test_a_refresh_token_that_is_not_replaced_stays_with_its_end() -> None:
    async with desk((200, {"access_token": "a1"})) as service:
        grant = JwtGrant(app_of(service, jwt="j.w.t"))
        holding = await obtained(grant, HELD)
        await grant.close()
    assert holding.access == Secret(b"a1")
    assert (holding.refresh, holding.refresh_expires_at) == (HELD.refresh, 5000.0)


async def test_a_refused_refresh_token_falls_back_to_the_jwt_once() -> None:
    async with desk(REFUSED, REFUSED) as service:
        grant = JwtGrant(app_of(service, jwt="j.w.t"))
        with pytest.raises(TokenCallFailed) as failed:
            await obtained(grant, HELD)
        await grant.close()
    kinds = [call.form["grant_type"] for call in service.calls]
    assert kinds == ["refresh_token", GRANT_TYPE]
    assert failed.value.outcome is Outcome.REJECTED


async def test_a_refresh_token_that_is_over_does_not_spend_what_the_jwt_needs() -> None:
    async with desk(REFUSED, (500, b"")) as service:
        grant = JwtGrant(app_of(service, jwt="j.w.t"))
        with pytest.raises(TokenCallFailed, match="500"):
            await obtained(grant, HELD)
        await obtained(grant, HELD)
        await grant.close()
    kinds = [call.form["grant_type"] for call in service.calls]
    assert kinds == ["refresh_token", GRANT_TYPE, GRANT_TYPE]


async def test_a_refresh_that_a_proxy_refused_is_made_again() -> None:
    page: Answer = (403, b"<html>")
    async with desk(page, page) as service:
        grant = JwtGrant(app_of(service, jwt="j.w.t"))
        with pytest.raises(TokenCallFailed, match="403"):
            await obtained(grant, HELD)
        await obtained(grant, HELD)
        await grant.close()
    kinds = [call.form["grant_type"] for call in service.calls]
    assert kinds == ["refresh_token", GRANT_TYPE, "refresh_token"]


@pytest.mark.parametrize("answer", [(429, {}), (500, {}), "cut"])
async def test_a_refresh_that_failed_otherwise_does_not_cost_a_session(
    answer: Answer | str,
) -> None:
    async with desk(answer) as service:
        grant = JwtGrant(app_of(service, jwt="j.w.t"))
        with pytest.raises(TokenCallFailed):
            await obtained(grant, HELD)
        await grant.close()
    assert len(service.calls) == 1


async def test_a_refresh_token_that_has_ended_is_not_tried() -> None:
    ended = Holding(Secret(b"a0"), 0.0, 100.0, "seed", Secret(b"r0"), 999.0)
    async with desk() as service:
        grant = JwtGrant(app_of(service, jwt="j.w.t"))
        await grant.obtain(ended, alone=False)
        await grant.close()
    assert service.calls[0].form["grant_type"] == GRANT_TYPE


async def test_a_process_that_cannot_see_the_others_takes_an_endpoint_of_its_own() -> None:
    async with desk() as service:
        grants = [JwtGrant(app_of(service, jwt="j.w.t")) for _ in range(2)]
        for grant in grants:
            await grant.obtain(None, alone=True)
            await grant.obtain(None, alone=True)
            await grant.close()
    first, again, second, _ = [call.form["endpoint_id"] for call in service.calls]
    assert first == again
    assert len({"gateway-1", first, second}) == 3

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.config.secrets import parse_reference
from gateway.core.secret import Secret
from gateway.credentials.failures import Outcome, TokenCallFailed
from gateway.credentials.grants.oauth import OAuthApp, Vault, Wishes
from gateway.credentials.grants.refresh import RefreshGrant
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

HELD = Holding(Secret(b"a0"), 0.0, 100.0, "seed", Secret(b"stored"), None)
REFUSED: Answer = (400, {"error": "invalid_grant"})


async def spent(held: Holding | None, *answers: Answer, **secrets: str) -> list[str]:
    """Return the refresh tokens that were presented, in order."""
    async with desk(*answers) as service:
        grant = RefreshGrant(app_of(service, None, **secrets))
        try:
            await obtained(grant, held)
        except TokenCallFailed as failed:
            assert failed.outcome is Outcome.REJECTED  # noqa: PT017 - whether it fails is not asked
        await grant.close()
    return [call.form["refresh_token"] for call in service.calls]


async def test_the_chain_begins_with_the_configured_token() -> None:
    assert await spent(None, refresh_token="first") == ["first"]


async def test_a_chain_is_recorded_under_the_token_that_it_began_with(tmp_path: Path) -> None:
    keys = ("client_id", "refresh_token")
    vault = restless_vault(tmp_path, *keys)
    async with desk() as service:
        grant = RefreshGrant(OAuthApp(endpoint_of(service), vault, Wishes("e"), lambda: 1000.0))
        holding = await grant.obtain(None, alone=False)
        await grant.close()
    assert [service.calls[0].form[key] for key in keys] == ["old", "old"]
    assert holding.seed == vault_of(client_id="old", refresh_token="old").fingerprint(*keys)


async def test_the_stored_chain_is_carried_on() -> None:
    assert await spent(HELD, refresh_token="first") == ["stored"]
    assert await spent(HELD) == ["stored"]


async def test_a_chain_that_is_refused_begins_again_once() -> None:
    assert await spent(HELD, REFUSED, refresh_token="first") == ["stored", "first"]
    assert await spent(HELD, REFUSED, REFUSED, refresh_token="first") == ["stored", "first"]


async def test_after_a_refusal_nothing_is_begun_before_it_is_asked_for() -> None:
    async with desk(REFUSED) as service:
        grant = RefreshGrant(app_of(service, None, refresh_token="first"))
        with pytest.raises(TokenCallFailed, match="invalid_grant") as failed:
            await grant.obtain(HELD, alone=False)
        await grant.close()
    assert failed.value.may_begin
    assert [call.form["refresh_token"] for call in service.calls] == ["stored"]


async def test_the_same_refused_token_is_not_presented_twice() -> None:
    assert await spent(HELD, REFUSED, refresh_token="stored") == ["stored"]
    assert await spent(HELD, REFUSED) == ["stored"]


@pytest.mark.parametrize(
    "answer",
    [
        *((status, b"<html>", "Content-Type: text/html") for status in (400, 401, 403, 404)),
        (401, {"error": "invalid_client", "errors": [{"errorCode": "OAU-146"}]}),
    ],
)
async def test_a_refusal_that_does_not_speak_of_the_chain_leaves_it_as_it_was(
    answer: Answer,
) -> None:
    async with desk(answer) as service:
        grant = RefreshGrant(app_of(service, refresh_token="first"))
        with pytest.raises(TokenCallFailed, match=f"answered {answer[0]}"):
            await obtained(grant, HELD)
        renewed = await obtained(grant, HELD)
        await grant.close()
    assert [call.form["refresh_token"] for call in service.calls] == ["stored", "stored"]
    assert renewed.refresh == Secret(b"refresh-2")


async def test_a_refresh_token_that_is_not_replaced_stays() -> None:
    async with desk((200, {"access_token": "a1"}), (200, {"access_token": "a2"})) as service:
        grant = RefreshGrant(app_of(service, refresh_token="first"))
        begun = await grant.obtain(None, alone=False)
        assert (begun.access, begun.refresh) == (Secret(b"a1"), Secret(b"first"))
        renewed = await obtained(grant, HELD)
        await grant.close()
    assert (renewed.access, renewed.refresh) == (Secret(b"a2"), HELD.refresh)


async def test_a_refresh_token_that_should_have_ended_is_presented_all_the_same() -> None:
    ended = replace(HELD, refresh_expires_at=999.0)
    assert await spent(ended, refresh_token="first") == ["stored"]
    assert await spent(ended, REFUSED, refresh_token="first") == ["stored", "first"]


async def test_a_stored_token_that_is_over_does_not_spend_what_the_configured_one_needs() -> None:
    async with desk(REFUSED, (500, b""), REFUSED) as service:
        grant = RefreshGrant(app_of(service, refresh_token="first"))
        for _ in range(2):
            with pytest.raises(TokenCallFailed):
                await obtained(grant, HELD)
        await grant.close()
    assert [call.form["refresh_token"] for call in service.calls] == ["stored", "first", "first"]


async def test_without_any_token_nothing_is_asked() -> None:
    async with desk() as service:
        grant = RefreshGrant(app_of(service))
        with pytest.raises(TokenCallFailed, match="no refresh token is configured"):
            await grant.obtain(None, alone=False)
        await grant.close()
    assert not service.calls


async def test_a_token_that_cannot_be_read_now_is_no_token_that_is_missing(tmp_path: Path) -> None:
    async with desk() as service:
        vault = Vault({"refresh_token": parse_reference(f"file:{tmp_path}/none")}, {})
        endpoint = endpoint_of(service)
        grant = RefreshGrant(OAuthApp(endpoint, vault, Wishes("e"), lambda: 1000.0))
        with pytest.raises(TokenCallFailed, match="does not exist") as failed:
            await grant.obtain(None, alone=False)
        await grant.close()
    assert failed.value.outcome is Outcome.UNREADABLE


async def test_an_answer_that_got_lost_leaves_the_chain_as_it_was() -> None:
    async with desk("cut") as service:
        grant = RefreshGrant(app_of(service, refresh_token="first"))
        with pytest.raises(TokenCallFailed) as failed:
            await obtained(grant, HELD)
        await grant.close()
    assert failed.value.outcome is Outcome.UNREACHABLE
    assert len(service.calls) == 1

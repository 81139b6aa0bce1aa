from pathlib import Path
from typing import Any

import pytest

from gateway.config.secrets import parse_reference
from gateway.core.secret import Secret
from gateway.credentials.failures import Outcome, TokenCallFailed
from gateway.credentials.grants.oauth import Vault, Wishes, lifetime_of, read_answer
from gateway.credentials.holding import Holding
from tests.credentials.desk import Answer, app_of, desk, vault_of


async def test_a_confidential_client_is_named_by_basic_and_not_in_the_form() -> None:
    async with desk() as service:
        app = app_of(service)
        holding = await app.ask(app.vault, "g", {"x": "1"}, "seed")
        await app.endpoint.close()
    assert service.calls[0].form == {"grant_type": "g", "x": "1"}
    assert b"Authorization: Basic " in service.calls[0].head
    assert holding == Holding(
        Secret(b"access-1"), 1000.0, 4600.0, "seed", Secret(b"refresh-1"), 605800.0
    )


async def test_a_public_client_is_named_in_the_form() -> None:
    async with desk() as service:
        app = app_of(service)
        app.vault = vault_of(client_id="public-id")
        await app.ask(app.vault, "g", {}, "")
        await app.endpoint.close()
    assert service.calls[0].form == {"grant_type": "g", "client_id": "public-id"}
    assert b"Authorization" not in service.calls[0].head


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ((400, {"error": "invalid_grant"}), Outcome.REJECTED),
        (
            (401, {"error": "invalid_client", "errors": [{"errorCode": "OAU-146"}]}),
            Outcome.REJECTED,
        ),
        ((401, {"errorCode": "TokenInvalid"}), Outcome.REJECTED),
        ((400, {"errorCode": "OAU-250"}), Outcome.REJECTED),
        ((400, b"<html>blocked by policy</html>", "Content-Type: text/html"), Outcome.ERROR),
        ((401, b""), Outcome.ERROR),
        ((401, {"status": 401, "error": "Unauthorized"}), Outcome.ERROR),
        ((403, b"<html>"), Outcome.ERROR),
        ((429, b"<html>"), Outcome.THROTTLED),
    ],
)
async def test_only_the_authorisation_server_rejects(answer: Answer, outcome: Outcome) -> None:
    async with desk(answer) as service:
        app = app_of(service)
        with pytest.raises(TokenCallFailed, match=f"answered {answer[0]}") as failed:
            await app.ask(app.vault, "g", {}, "")
        await app.endpoint.close()
    assert failed.value.outcome is outcome
    assert failed.value.status == answer[0]


def test_wishes_name_the_endpoint_and_only_what_is_wished() -> None:
    assert Wishes("e").form() == {"endpoint_id": "e"}
    assert Wishes("e", 600, 86400).form("-x") == {
        "endpoint_id": "e-x",
        "access_token_ttl": "600",
        "refresh_token_ttl": "86400",
    }


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"access_token": ""},
        {"access_token": "a\nb"},
        {"access_token": "a", "refresh_token": 5},
    ],
)
def test_an_answer_that_cannot_be_used_is_not_shown(answer: dict[str, Any]) -> None:
    with pytest.raises(TokenCallFailed, match="not usable") as failed:
        read_answer(answer, 0.0, "")
    assert failed.value.outcome is Outcome.ERROR


@pytest.mark.parametrize(("value", "seconds"), [(3600, 3600.0), (0.5, 0.5), ("7199", 7199.0)])
def test_lifetimes_may_be_fractions_or_text(value: object, seconds: float) -> None:
    assert lifetime_of(value) == seconds


@pytest.mark.parametrize(
    "odd", [None, 0, -1, "soon", True, [1], 10**400, "9" * 400, float("nan"), "inf", "nan"]
)
def test_a_pair_is_kept_however_odd_the_lives_beside_it(odd: object) -> None:
    answer = {"access_token": "a", "expires_in": odd, "refresh_token": "r"}
    holding = read_answer(answer | {"refresh_token_expires_in": odd}, 10.0, "")
    assert (holding.access, holding.refresh) == (Secret(b"a"), Secret(b"r"))
    assert (holding.expires_at, holding.refresh_expires_at) == (3610.0, None)


def test_a_token_without_a_lifetime_lives_the_documented_hour() -> None:
    assert read_answer({"access_token": "a"}, 10.0, "").expires_at == 3610.0


def test_a_secret_that_cannot_be_read_is_told_by_its_key_and_may_come_back(tmp_path: Path) -> None:
    vault = Vault({"jwt": parse_reference(f"file:{tmp_path}/none")}, {})
    with pytest.raises(TokenCallFailed, match=r"^jwt: file .* does not exist") as failed:
        vault.require("jwt")
    assert failed.value.outcome is Outcome.UNREADABLE
    with pytest.raises(TokenCallFailed, match="client_id is not configured") as missing:
        vault.require("client_id")
    assert missing.value.outcome is Outcome.REJECTED
    assert vault.get("client_secret") is None


def test_for_one_attempt_a_secret_is_what_it_was_when_it_was_read(tmp_path: Path) -> None:
    file = tmp_path / "jwt"
    vault = Vault({"jwt": parse_reference(f"file:{file}")}, {})
    missing = vault.once()
    assert missing.fingerprint("jwt") == ""
    file.write_text("first")
    first = vault.once()
    assert first.require("jwt") == Secret(b"first")
    file.write_text("second")
    with pytest.raises(TokenCallFailed, match="does not exist"):
        missing.require("jwt")
    assert first.require("jwt") == Secret(b"first")
    assert (first.get("client_secret"), vault.require("jwt")) == (None, Secret(b"second"))


@pytest.mark.parametrize("key", ["jwt", "refresh_token"])
def test_a_token_with_its_scheme_is_none_that_can_be_read_now(key: str) -> None:
    vault = vault_of(**{key: "Bearer s3cr3t", "client_secret": "s3cr3t s3cr3t"})
    with pytest.raises(TokenCallFailed) as failed:
        vault.get(key)
    assert failed.value.outcome is Outcome.UNREADABLE
    assert f"{key}: the literal has a blank inside" in str(failed.value)
    assert "s3cr3t" not in str(failed.value)
    assert vault.get("client_secret") == Secret(b"s3cr3t s3cr3t")


def test_a_fingerprint_changes_with_its_secrets_and_tells_none(tmp_path: Path) -> None:
    file = tmp_path / "jwt"
    vault = Vault({"jwt": parse_reference(f"file:{file}")}, {})
    missing = vault.fingerprint("jwt")
    file.write_text("first")
    first = vault.fingerprint("jwt")
    file.write_text("second")
    assert len({missing, first, vault.fingerprint("jwt"), vault.fingerprint("jwt", "x")}) == 4
    assert "first" not in first
    file.write_text("first\n")
    assert vault.fingerprint("jwt") == first


def test_each_configured_secret_has_a_fingerprint_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    client_id = parse_reference("literal:id")
    vault = Vault({"client_secret": parse_reference(f"file:{file}"), "client_id": client_id}, {})
    known, missing = vault.fingerprints()
    file.write_text("wrong")
    _, wrong = vault.fingerprints()
    file.write_text("right")
    assert vault.fingerprints()[0] == known
    assert missing == ""
    assert len({"", wrong, vault.fingerprints()[1]}) == 3

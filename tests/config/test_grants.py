"""Which keys go with which grant."""

import pytest

from gateway.config.grants import GRANTS, given_keys, keys_of, misfits
from gateway.config.secrets import parse_reference
from gateway.config.upstreams import CredentialConfig

SECRET = parse_reference("env:X")


def test_every_grant_of_the_model_is_known() -> None:
    annotation = CredentialConfig.model_fields["grant"].annotation
    assert set(GRANTS) == set(getattr(annotation, "__args__", ()))


def test_every_key_is_of_use_with_some_grant() -> None:
    known = {key for keys in GRANTS.values() for key in (*keys.needs, *keys.takes)}
    assert known == set(CredentialConfig.model_fields) - {"grant"}


@pytest.mark.parametrize("grant", GRANTS)
def test_what_a_grant_needs_is_enough(grant: str) -> None:
    assert list(misfits(grant, frozenset(GRANTS[grant].needs))) == []
    everything = {*GRANTS[grant].needs, *GRANTS[grant].takes}
    assert list(misfits(grant, frozenset(everything))) == []


def test_what_is_missing_and_what_is_of_no_use_is_named() -> None:
    found = dict(misfits("jwt", frozenset({"client_id", "token"})))
    assert set(found) == {"jwt", "token"}
    assert "missing" in found["jwt"]
    assert 'no use with grant = "jwt"' in found["token"]


def test_a_legacy_token_needs_no_login() -> None:
    assert keys_of("engage_legacy", frozenset({"token"})).needs == ("token",)
    assert keys_of("engage_legacy", frozenset()).needs == ("username", "password")


def test_a_default_is_not_given() -> None:
    assert given_keys(CredentialConfig(grant="jwt", jwt=SECRET, auth_limit=5)) == {"jwt"}
    assert given_keys(CredentialConfig(auth_limit=6)) == {"auth_limit"}

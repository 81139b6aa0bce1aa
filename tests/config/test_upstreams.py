"""Upstreams and credentials: what their fields take, and what they show."""

import re

import pytest

from gateway.config.upstreams import NAME, UNSET, CredentialConfig, UpstreamConfig
from tests.config.loading import config_of


def test_an_upstream_says_nothing_of_itself() -> None:
    upstream = UpstreamConfig()
    assert upstream.origin is UNSET
    assert upstream.model_dump(mode="json")["origin"] == ""


@pytest.mark.parametrize(
    "route", ["/restapi", "/.well-known", "/1.0", "/cx/social-messaging", "/~a"]
)
def test_a_prefix_is_whole_segments(route: str) -> None:
    config = config_of(f"upstreams.platform.routes=['{route}']")
    assert config.upstreams["platform"].routes == (route,)


def test_a_credential_shows_where_its_secret_is_and_never_the_secret() -> None:
    table = CredentialConfig.model_validate({"token": "literal:s3cr3t", "jwt": "env:J"})
    shown = table.model_dump(mode="json", exclude_none=True)
    assert (shown["token"], shown["jwt"]) == ("literal:********", "env:J")
    assert "client_id" not in shown
    assert "s3cr3t" not in f"{table!r}{table!s}{table.model_dump()}"


@pytest.mark.parametrize(
    ("name", "fits"),
    [("ringcentral", True), ("a-b_c1", True), ("A", False), ("a__b", False), ("_a", False)],
)
def test_a_credentials_name_is_one_that_a_variable_can_spell(name: str, fits: bool) -> None:
    assert (re.search(NAME, name) is not None) is fits

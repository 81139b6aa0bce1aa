"""Presets: the contract's routing table, filled in where a configuration says nothing."""

from typing import Any

import pytest

from gateway.config.presets import (
    DEFAULT_GRANT,
    ENGAGE_DIGITAL_HOST,
    PRESETS,
    fill_presets,
    media_beside,
)


def filled(upstreams: Any) -> Any:
    tree = {"upstreams": upstreams}
    fill_presets(tree)
    return tree["upstreams"]


def test_no_path_belongs_to_two_services() -> None:
    routes = [route for preset in PRESETS.values() for route in preset.routes]
    assert len(routes) == len(set(routes)) == 19


def test_platform_and_media_are_always_there() -> None:
    tree: dict[str, Any] = {}
    fill_presets(tree)
    assert list(tree["upstreams"]) == ["platform", "media"]
    assert tree["upstreams"]["platform"]["credential"] == "ringcentral"


def test_the_order_is_the_tables() -> None:
    assert list(filled({"ringcx": {}, "media": {}})) == ["platform", "media", "ringcx"]


def test_the_platforms_credential_is_shared_with_media_and_ringcx() -> None:
    upstreams = filled({"platform": {"credential": "mine"}, "ringcx": {}, "engage_legacy": {}})
    assert upstreams["media"]["credential"] == upstreams["ringcx"]["credential"] == "mine"
    assert "credential" not in upstreams["engage_legacy"]
    assert "origin" not in upstreams["engage_legacy"]


def test_what_is_written_is_kept() -> None:
    media = filled({"media": {"credential": "x", "origin": "y", "routes": ["/z"]}})["media"]
    assert media == {"credential": "x", "origin": "y", "routes": ["/z"]}


@pytest.mark.parametrize(
    "written", [{}, {"auth_limit": 3}, {"jwt": "file:/jwt", "endpoint_id": "x"}]
)
def test_keys_that_suit_the_variables_of_the_vendors_samples_are_laid_over_them(
    written: dict[str, Any],
) -> None:
    tree = {"credentials": {"ringcentral": dict(written)}}
    fill_presets(tree)
    assert tree["credentials"]["ringcentral"] == DEFAULT_GRANT | written


@pytest.mark.parametrize(
    "written", [{"grant": "jwt"}, {"token": "env:T"}, {"auth_limit": 3, "tokn": "env:T"}, 5]
)
def test_a_grant_that_is_written_or_meant_is_not_filled(written: Any) -> None:
    tree = {"credentials": {"ringcentral": written}}
    before = dict(written) if isinstance(written, dict) else written
    fill_presets(tree)
    assert tree["credentials"]["ringcentral"] == before


def test_strange_shapes_are_left_to_validation() -> None:
    assert filled(5) == 5
    upstreams = filled({"platform": 5, "nobody": {}})
    assert upstreams["platform"] == 5
    assert upstreams["nobody"] == {}


def test_filling_does_not_change_the_table_of_presets() -> None:
    filled({})["platform"]["routes"].append("/x")
    assert "/x" not in PRESETS["platform"].routes


@pytest.mark.parametrize(
    ("platform", "media"),
    [
        ("https://platform.ringcentral.com", "https://media.ringcentral.com"),
        ("https://platform.devtest.ringcentral.com", "https://media.devtest.ringcentral.com"),
        ("https://PLATFORM.ringcentral.biz:443", "https://media.ringcentral.biz"),
        ("https://platform.ringcentral.com.evil.example", None),
        ("https://platform.a.b.ringcentral.com", None),
        ("https://platform.ringcentral.com:8443", None),
        ("http://127.0.0.1:9", None),
    ],
)
def test_media_is_in_the_environment_of_the_platform(platform: str, media: str | None) -> None:
    assert media_beside(platform) == media
    found = filled({"platform": {"origin": platform}})["media"]["origin"]
    assert found == (media or PRESETS["media"].origin)
    assert filled({"platform": {"origin": platform}, "media": {"origin": "y"}})["media"] == {
        "origin": "y",
        "credential": "ringcentral",
        "routes": ["/media"],
    }
    assert filled({"platform": {"origin": 5}})["media"]["origin"] == PRESETS["media"].origin


@pytest.mark.parametrize(
    ("host", "fits"),
    [
        ("acme.api.digital.ringcentral.com", True),
        ("acme-2.api.engagement.dimelo.com", True),
        ("api.digital.ringcentral.com", False),
        (".api.digital.ringcentral.com", False),
        ("a.b.api.digital.ringcentral.com", False),
        ("acme.api.digital.ringcentral.com.evil.example", False),
        ("acmexapi.digital.ringcentral.com", False),
        ("acme.api.digital.ringcentral.com\n", False),
    ],
)
def test_the_hosts_of_engage_digital(host: str, fits: bool) -> None:
    assert (ENGAGE_DIGITAL_HOST.fullmatch(host) is not None) is fits

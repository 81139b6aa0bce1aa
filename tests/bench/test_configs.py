"""Every peer is told both jobs, on its ports, in its own words."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bench import configs, origin, peers
from tests.bench.configs import AUTHORIZATION, OVERRIDE, USER_AGENT, Ports

PORTS = Ports(plain=7001, norm=7002, origin=7003)
MAKERS: list[Callable[[Ports], str]] = [
    lambda ports: configs.nginx(ports, "/x"),
    configs.haproxy,
    configs.caddy,
    configs.envoy,
]


@pytest.mark.parametrize("make", MAKERS)
def test_a_configuration_has_its_ports_and_the_norm_job(make: Callable[[Ports], str]) -> None:
    text = make(PORTS)
    assert all(str(port) in text for port in (7001, 7002, 7003))
    assert USER_AGENT in text
    assert AUTHORIZATION in text
    assert OVERRIDE.lower() in text.lower()


@pytest.mark.parametrize("make", [configs.caddy, configs.envoy])
def test_a_configuration_in_json_is_json(make: Callable[[Ports], str]) -> None:
    assert json.loads(make(PORTS))


@pytest.mark.parametrize("text", [configs.nginx(PORTS, "/x"), origin.config(7003, Path("/x"))])
def test_braces_of_a_configuration_are_paired(text: str) -> None:
    assert text.count("{") == text.count("}")


def test_every_peer_is_either_ready_to_start_or_says_why_not(tmp_path: Path) -> None:
    for number, name in enumerate(peers.NAMES):
        folder = tmp_path / str(number)
        folder.mkdir()
        peer = peers.make(name, PORTS, folder)
        assert bool(peer.command) is not bool(peer.missing)
        assert peer.name == name


def test_no_variable_of_the_vendor_reaches_a_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RC_USER_JWT", "secret")
    monkeypatch.setenv("RCGW_LOG__LEVEL", "debug")
    assert not [name for name in peers.environment() if name.startswith("RC")]

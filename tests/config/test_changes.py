"""gateway/config/changes.py: what differs is named by its path, and nothing of it is shown."""

import pytest

from gateway.config.changes import changed_paths, refusals, unheeded
from tests.config.loading import config_of


def test_equal_configurations_have_no_changes() -> None:
    assert changed_paths(config_of(), config_of()) == []


@pytest.mark.parametrize(
    ("sets", "paths"),
    [
        (("log.level=debug", "limits.max_in_flight=5"), ["limits.max_in_flight", "log.level"]),
        (("listener.bind=['127.0.0.1:1','127.0.0.1:2']",), ["listener.bind"]),
        (("upstreams.platform.origin=https://example.com",), ["upstreams.platform.origin"]),
        (("upstreams.ringcx.tunnel=off",), ["upstreams.ringcx", "credentials.ringcx"]),
        (("credentials.ringcentral.token=env:OTHER",), ["credentials.ringcentral.token"]),
    ],
)
def test_a_change_is_named_by_its_path(sets: tuple[str, ...], paths: list[str]) -> None:
    assert changed_paths(config_of(), config_of(*sets)) == paths


def test_what_is_gone_is_a_change_too() -> None:
    assert "upstreams.ringcx" in changed_paths(
        config_of("upstreams.ringcx.tunnel=off"), config_of()
    )


def test_two_literals_that_look_the_same_are_a_change_and_are_not_shown() -> None:
    paths = changed_paths(config_of(), config_of("credentials.ringcentral.token=literal:0ther"))
    assert paths == ["credentials.ringcentral.token"]


@pytest.mark.parametrize(
    "stores", ["stores.file=/var/lib/tokens", "stores.redis=redis://h", "stores.lease_s=5"]
)
def test_stores_do_not_change_while_the_gateway_runs(stores: str) -> None:
    (problem,) = refusals(config_of(), config_of(stores))
    assert problem.path == stores.partition("=")[0]
    assert "restart it, or set this back" in problem.message
    assert not list(refusals(config_of(stores), config_of(stores)))


def test_the_operators_listener_waits_for_a_restart() -> None:
    (problem,) = unheeded(config_of(), config_of("ops.bind=127.0.0.1:9999"))
    assert str(problem) == (
        "ops.bind: is 127.0.0.1:9999 from the next restart on; until then it stays 127.0.0.1:9902"
    )
    assert not list(unheeded(config_of(), config_of("log.level=debug")))


def test_the_number_of_workers_waits_for_a_restart() -> None:
    (problem,) = unheeded(config_of(), config_of("engine.workers=auto"))
    assert str(problem) == (
        "engine.workers: is auto from the next restart on; until then it stays 1"
    )

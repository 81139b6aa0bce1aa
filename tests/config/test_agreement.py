"""What values must agree on: rules that need no file, judged on a configuration by hand."""

from gateway.config.agreement import judge
from gateway.config.binds import Bind
from gateway.config.load import load
from gateway.config.model import Config
from gateway.config.sections import ListenerConfig
from tests.config.loading import config_of, load_sets


def judged(config: Config) -> list[tuple[str, tuple[str, ...]]]:
    return [(found.problem.path, found.judged_by) for found in judge(config, {}, simulator=False)]


def test_what_loads_has_no_disagreement() -> None:
    assert judged(config_of()) == []


def test_a_disagreement_names_the_values_that_it_was_judged_by() -> None:
    listener = ListenerConfig(bind=(Bind("0.0.0.0", 8080),))
    config = config_of().model_copy(update={"listener": listener})
    assert judged(config) == [("listener.bind", ("listener.bind", "listener.anyone"))]


def test_anyone_may_be_let_in_on_purpose() -> None:
    assert load_sets("listener.bind=0.0.0.0:8080", "listener.anyone=true").config.listener.anyone


def test_a_unix_socket_is_for_nobody_else() -> None:
    assert load_sets("listener.bind=unix:/run/data.sock").config.listener.bind[0].path


def test_the_system_may_choose_more_than_one_port() -> None:
    config = config_of("listener.bind=['127.0.0.1:0', '127.0.0.1:0']", "ops.bind=127.0.0.1:0")
    assert [bind.port for bind in config.listener.bind] == [0, 0]


def test_an_upstream_may_be_on_this_machine_beside_the_gateway() -> None:
    config_of("upstreams.platform.origin=http://127.0.0.1:9080", "listener.bind=127.0.0.1:0")
    at_our_default = "upstreams.platform.origin=http://127.0.0.1:8080"
    config_of(at_our_default, "listener.bind=unix:/run/data.sock")


def test_with_the_simulator_no_origin_of_the_configuration_is_used() -> None:
    load([], ["upstreams.platform.origin=http://127.0.0.1:8080"], {}, simulator=True)


def test_engage_digital_is_at_its_own_hosts_or_on_this_machine() -> None:
    for origin in (
        "https://acme.api.digital.ringcentral.com",
        "https://acme-2.api.engagement.dimelo.com",
        "http://127.0.0.1:9080",
    ):
        config_of(
            f"upstreams.engage_digital.origin={origin}",
            "upstreams.engage_digital.credential=ringcentral",
        )


def test_a_credential_that_no_upstream_uses_is_not_judged() -> None:
    assert "spare" in config_of("credentials.spare.grant=jwt").credentials


def test_the_grants_without_a_secret_need_none() -> None:
    for grant in ("passthrough", "none"):
        sets = (f"credentials.open.grant={grant}", "upstreams.platform.credential=open")
        assert config_of(*sets).upstreams["media"].credential == "open"


def test_limits_may_be_equal() -> None:
    limits = config_of("limits.max_target_bytes=65536", "limits.max_body_bytes=65536").limits
    assert limits.max_target_bytes == limits.max_head_bytes
    assert limits.replay_body_bytes == limits.max_body_bytes

"""With the simulator: everything on, everything there, nothing of the vendor's left."""

from gateway.config.agreement import judge
from gateway.config.compile import compile_policy, enabled_credentials
from gateway.config.load import load
from gateway.config.model import Config
from gateway.config.presets import PRESETS
from gateway.config.resolve import check_secrets
from gateway.config.simulated import Accounts, point_at
from gateway.config.stores import StoresConfig

ORIGIN = "http://127.0.0.1:9080"
SETS = [
    *("limits.max_in_flight=7", "upstreams.platform.routes=['/restapi']"),
    *("stores.redis=redis://10.0.0.1:6379/0", "credentials.ringcentral.token=env:REAL"),
]
ACCOUNTS = Accounts("t0ken-id", "t0ken-secret", "t0ken-jwt", "t0ken-u", "t0ken-p", "t0ken-d")


def simulated() -> Config:
    return point_at(load([], SETS, {}, simulator=True).config, ORIGIN, ACCOUNTS)


def test_every_upstream_is_the_simulator() -> None:
    config = simulated()
    assert list(config.upstreams) == [*PRESETS]
    assert {str(upstream.origin) for upstream in config.upstreams.values()} == {ORIGIN}
    assert set(enabled_credentials(config)) == set(config.credentials)
    assert [table.grant for table in config.credentials.values()] == [
        *("jwt", "ringcx", "engage_legacy", "static")
    ]
    assert check_secrets(config, {}) == ()
    assert list(judge(config, {}, simulator=False)) == []
    compile_policy(config)


def test_no_store_of_the_vendors_tokens_is_touched() -> None:
    assert simulated().stores == StoresConfig()


def test_everything_else_stays_as_configured() -> None:
    config = simulated()
    assert config.limits.max_in_flight == 7
    assert config.upstreams["platform"].routes == ("/restapi",)
    assert config.upstreams["ringcx"].routes == PRESETS["ringcx"].routes
    assert "t0ken" not in repr(config)


def test_a_tunnel_stays_so_that_it_can_be_tried() -> None:
    sets = [*SETS, "upstreams.platform.tunnel=header"]
    config = point_at(load([], sets, {}, simulator=True).config, ORIGIN, ACCOUNTS)
    assert config.upstreams["platform"].tunnel == "header"
    assert config.upstreams["ringcx"].tunnel == "off"


def test_one_process_serves_and_a_lane_stays_as_it_is() -> None:
    sets = [*SETS, "engine.workers=4", "engine.fast_lane=false"]
    engine = point_at(load([], sets, {}, simulator=True).config, ORIGIN, ACCOUNTS).engine
    assert (engine.workers, engine.fast_lane) == (1, False)

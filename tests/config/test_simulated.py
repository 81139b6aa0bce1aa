"""With the simulator: everything on, everything there, nothing of the vendor's left."""

from gateway.config.compile import compile_policy, enabled_credentials
from gateway.config.load import load
from gateway.config.presets import PRESETS
from gateway.config.resolve import check_secrets
from gateway.config.simulated import point_at

ORIGIN = "http://127.0.0.1:9080"
SETS = ["limits.max_in_flight=7", "upstreams.platform.routes=['/restapi']"]


def test_every_upstream_is_the_simulator() -> None:
    config = point_at(load([], SETS, {}, simulator=True).config, ORIGIN, "t0ken")
    assert list(config.upstreams) == [*PRESETS]
    assert {str(upstream.origin) for upstream in config.upstreams.values()} == {ORIGIN}
    (credential,) = enabled_credentials(config).values()
    assert credential.token is not None
    assert credential.token.resolve({}).reveal() == b"t0ken"
    assert check_secrets(config, {}) == ()
    compile_policy(config)


def test_everything_else_stays_as_configured() -> None:
    config = point_at(load([], SETS, {}, simulator=True).config, ORIGIN, "t0ken")
    assert config.limits.max_in_flight == 7
    assert config.upstreams["platform"].routes == ("/restapi",)
    assert config.upstreams["ringcx"].routes == PRESETS["ringcx"].routes
    assert "t0ken" not in repr(config)


def test_a_tunnel_stays_so_that_it_can_be_tried() -> None:
    sets = [*SETS, "upstreams.platform.tunnel=header"]
    config = point_at(load([], sets, {}, simulator=True).config, ORIGIN, "t0ken")
    assert config.upstreams["platform"].tunnel == "header"
    assert config.upstreams["ringcx"].tunnel == "off"

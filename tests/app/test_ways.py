"""Which parts of the ways a change keeps."""

import ssl
from collections.abc import Mapping

import pytest

from gateway.app.credentials import make_credentials
from gateway.app.ways import Ways, make_ways
from gateway.config.load import load
from gateway.config.model import Config
from gateway.policy.rates import RateMode, Rates
from gateway.stores.memory import MemoryStore
from tests.config.loading import config_of
from tests.wire import Recorder

APPLICATION = {"RC_APP_CLIENT_ID": "id", "RC_APP_CLIENT_SECRET": "s", "RC_USER_JWT": "j.w.t"}
RATES = Rates(RateMode.SHIELD, b"key")


def ways_of(
    config: Config, before: Ways | None = None, environ: Mapping[str, str] | None = None
) -> Ways:
    credentials = make_credentials(config, environ or {}, Recorder(), MemoryStore())
    return make_ways(config, credentials, {}, RATES, before)


async def test_a_pool_is_kept_with_its_budget_when_nothing_of_it_changes() -> None:
    before = ways_of(config_of())
    after = ways_of(config_of("timeouts.idle_s=5", "retries.on_status=[502]"), before)
    assert after.new_since(before) == []
    for name, way in after.by_name.items():
        assert way.budget is before.by_name[name].budget
        assert way.rules.on_status == {502}


async def test_another_origin_is_another_pool_and_only_that_one() -> None:
    before = ways_of(config_of())
    after = ways_of(config_of("upstreams.platform.origin=https://example.com"), before)
    assert after.new_since(before) == ["platform"]
    assert after.by_name["platform"].budget is not before.by_name["platform"].budget


async def test_an_upstream_that_is_switched_on_is_new() -> None:
    before = ways_of(config_of())
    assert ways_of(config_of("upstreams.ringcx.tunnel=off"), before).new_since(before) == ["ringcx"]


async def test_the_roots_of_the_system_are_read_once_for_what_is_made_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[ssl.SSLContext] = []
    make = ssl.create_default_context

    def count() -> ssl.SSLContext:
        made.append(make())
        return made[-1]

    monkeypatch.setattr(ssl, "create_default_context", count)
    config = load([], ["upstreams.ringcx.tunnel=off"], APPLICATION).config
    credentials = make_credentials(config, APPLICATION, Recorder(), MemoryStore())
    assert len(made) == 1
    ways = make_ways(config, credentials, {}, RATES)
    assert len(ways.by_name) > 2
    assert len(made) == 2


async def test_the_toll_is_kept_unless_the_rates_change() -> None:
    before = ways_of(config_of())
    assert ways_of(config_of("timeouts.idle_s=5"), before).toll is before.toll
    after = ways_of(config_of("rates.mode=queue", "rates.max_wait_s=5"), before)
    assert after.toll is not before.toll
    assert (after.toll.rates.mode, before.toll.rates.mode) == (RateMode.QUEUE, RateMode.SHIELD)
    assert after.toll.rates.in_mode(RateMode.OFF)._buckets is before.toll.rates._buckets


async def test_another_application_has_another_toll_where_a_fleet_counts_by_it() -> None:
    for redis, is_new in (("redis://127.0.0.1:1/0", True), ("", False)):
        config = load([], [f"stores.redis={redis}"], APPLICATION).config
        before = ways_of(config, environ=APPLICATION)
        same = ways_of(config, before, APPLICATION)
        other = ways_of(config, before, APPLICATION | {"RC_APP_CLIENT_ID": "another"})
        assert same.toll is before.toll
        assert (other.toll is not before.toll) is is_new

"""What remains of the vendor's windows, for Prometheus."""

from prometheus_client import CollectorRegistry, generate_latest

from gateway.ops.rate_metrics import RateMetrics


def test_what_remains_is_shown_while_it_is_known() -> None:
    registry = CollectorRegistry()
    metrics = RateMetrics(registry)
    metrics.sample([("light", 50), ("heavy", 3)])
    text = generate_latest(registry).decode()
    assert 'rcgw_upstream_rate_limit_remaining{group="heavy"} 3.0' in text
    assert 'rcgw_upstream_rate_limit_remaining{group="light"} 50.0' in text
    metrics.sample([("heavy", 2)])
    text = generate_latest(registry).decode()
    assert 'group="heavy"} 2.0' in text
    assert "light" not in text


def test_names_that_an_upstream_makes_up_are_bounded() -> None:
    registry = CollectorRegistry()
    RateMetrics(registry).sample([(f"g{number}", 1) for number in range(500)])
    assert generate_latest(registry).decode().count("} 1.0") == 50

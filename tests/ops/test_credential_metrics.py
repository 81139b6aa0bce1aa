"""What is counted of credentials."""

from prometheus_client import CollectorRegistry, generate_latest

from gateway.credentials.tokens import Status
from gateway.ops.credential_metrics import CredentialMetrics


def test_renewals_are_counted_by_outcome_and_expiry_is_read() -> None:
    registry = CollectorRegistry()
    metrics = CredentialMetrics(registry)
    metrics.refresh_finished("rc", "obtained", "")
    metrics.refresh_finished("rc", "throttled", "https://x answered 429")
    metrics.refresh_finished("rc", "throttled", "https://x answered 429")
    metrics.token_unreadable("file", "gone")
    metrics.token_changed("rc", 2)
    metrics.store_failed("rc", "down")
    metrics.sample({"rc": Status("jwt", 2, 4600.0), "file": Status("static", 1)}, "down")
    text = generate_latest(registry).decode()
    assert 'rcgw_token_refresh_total{credential="rc",outcome="obtained"} 1.0' in text
    assert 'rcgw_token_refresh_total{credential="rc",outcome="throttled"} 2.0' in text
    assert 'rcgw_token_refresh_total{credential="file",outcome="unreadable"} 1.0' in text
    assert 'rcgw_token_expiry_timestamp_seconds{credential="rc"} 4600.0' in text
    assert 'expiry_timestamp_seconds{credential="file"}' not in text
    assert "rcgw_store_up 0.0" in text
    metrics.sample({}, None)
    assert "rcgw_store_up 1.0" in generate_latest(registry).decode()

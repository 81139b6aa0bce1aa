"""Figures of several processes as one."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from gateway.ops.sums import Families, FleetMetrics, add_up, read_families


def report_of(requests: int, expiry: float, *, up: int = 1, seconds: float = 0.2) -> Families:
    registry = CollectorRegistry()
    counter = Counter("rcgw_retries", "Text.", ("reason",), registry=registry)
    counter.labels("connect").inc(requests)
    Gauge("rcgw_in_flight_requests", "Text.", registry=registry).set(requests)
    Gauge("rcgw_token_expiry_timestamp_seconds", "Text.", registry=registry).set(expiry)
    Gauge("rcgw_store_up", "Text.", registry=registry).set(up)
    Histogram("took_seconds", "Text.", registry=registry, buckets=(0.1, 1)).observe(seconds)
    return read_families(registry)


def values_of(families: Families) -> dict[str, float]:
    return {
        name + "".join(f"[{value}]" for value in labels.values()): value
        for *_, samples in families
        for name, labels, value in samples
        if not name.endswith("_created")
    }


def test_what_is_counted_is_added_up_and_bad_news_is_the_wholes() -> None:
    assert values_of(add_up([report_of(1, 50.0), report_of(2, 40.0, up=0, seconds=2)])) == {
        "rcgw_retries_total[connect]": 3,
        "rcgw_in_flight_requests": 3,
        "rcgw_token_expiry_timestamp_seconds": 50,
        "rcgw_store_up": 0,
        "took_seconds_bucket[0.1]": 0,
        "took_seconds_bucket[1.0]": 1,
        "took_seconds_bucket[+Inf]": 2,
        "took_seconds_count": 2,
        "took_seconds_sum": 2.2,
    }


def test_what_a_worker_had_counted_stays_when_it_has_ended() -> None:
    metrics = FleetMetrics()
    metrics.note(1, report_of(5, 50.0))
    metrics.note(1, report_of(6, 50.0))
    metrics.note(2, report_of(1, 40.0))
    metrics.end(1)
    metrics.end(3)
    metrics.sample()
    text = metrics.render()[0].decode()
    assert 'rcgw_retries_total{reason="connect"} 7.0' in text
    assert "rcgw_in_flight_requests 1.0" in text
    assert "rcgw_token_expiry_timestamp_seconds 40.0" in text
    assert 'took_seconds_bucket{le="1.0"} 2.0' in text


def test_the_parents_own_figures_are_shown_too() -> None:
    metrics = FleetMetrics()
    metrics.count(serving=2, leaving=1)
    metrics.restarts.inc()
    metrics.sample()
    body, media_type = metrics.render("application/openmetrics-text; version=1.0.0")
    text = body.decode()
    assert media_type.startswith("application/openmetrics-text")
    assert 'rcgw_workers{state="leaving"} 1.0' in text
    assert "rcgw_worker_restarts_total 1.0" in text
    assert "process_resident_memory_bytes" in text
    assert "_created" not in text

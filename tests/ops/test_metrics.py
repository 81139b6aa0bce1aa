"""What requests leave in the metrics, and that labels cannot grow without end."""

import re
from typing import Any

import pytest

from gateway import __version__
from gateway.core.query import Finding
from gateway.engine.events import Asked, Record
from gateway.ops.metrics import MOST_UNTOLD, Gauges, Metrics


def make_record(**changes: Any) -> Record:
    fields: dict[str, Any] = {
        "request_id": "r-1",
        "started": 1.0,
        "wire_method": "POST",
        "method": "DELETE",
        "upstream": "platform",
        "status": 204,
        "attempts": 1,
        "total_s": 0.3,
        "upstream_status": 204,
        "upstream_s": 0.2,
    }
    given = fields | changes
    asked = {name: given.pop(name) for name in [*given] if name in Asked.__slots__}
    return Record(**given, asked=Asked(**asked))


def read(metrics: Metrics) -> dict[str, float]:
    metrics.sample()
    return shown(metrics)


def shown(metrics: Metrics) -> dict[str, float]:
    text = metrics.render()[0].decode()
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def test_a_request_is_measured_by_its_effective_method() -> None:
    metrics = Metrics()
    metrics.hear([make_record()])
    samples = read(metrics)
    labels = 'code="",method="DELETE",status="204",upstream="platform"'
    name = "http_server_request_duration_seconds"
    assert samples[f"{name}_count{{{labels}}}"] == 1
    assert samples[f"{name}_sum{{{labels}}}"] == 0.3
    assert samples[f'{name}_bucket{{code="",le="0.25",{labels.split(",", 1)[1]}}}'] == 0
    assert samples[f'{name}_bucket{{code="",le="0.5",{labels.split(",", 1)[1]}}}'] == 1


def test_the_upstreams_part_is_measured_apart() -> None:
    metrics = Metrics()
    metrics.hear([make_record()])
    metrics.hear([make_record(status=502, code="upstream-broken", upstream_status=0)])
    metrics.hear([make_record(status=404, code="no-route", upstream="", upstream_s=None)])
    samples = read(metrics)
    name = "http_client_request_duration_seconds_count"
    counts = {key: value for key, value in samples.items() if key.startswith(name)}
    assert counts == {
        f'{name}{{method="DELETE",status="204",upstream="platform"}}': 1,
        f'{name}{{method="DELETE",status="none",upstream="platform"}}': 1,
    }


@pytest.mark.parametrize(
    ("changes", "method"),
    [
        ({"method": "", "wire_method": "GET"}, "GET"),
        ({"method": "", "wire_method": "BREW"}, "other"),
        ({"method": "", "wire_method": ""}, "other"),
    ],
)
def test_a_method_that_nobody_knows_is_other(changes: dict[str, Any], method: str) -> None:
    metrics = Metrics()
    metrics.hear([make_record(**changes)])
    assert any(f'_count{{code="",method="{method}"' in name for name in read(metrics))


def test_all_requests_are_counted_once_however_many_came_between_two_scrapes() -> None:
    metrics = Metrics()
    count = 2 * MOST_UNTOLD + 3
    for number in range(count):
        metrics.hear([make_record(status=200 + number % 2, total_s=0.001 * number)])
    for _ in range(2):
        samples = read(metrics)
        name = "http_server_request_duration_seconds"
        counts = [value for key, value in samples.items() if key.startswith(f"{name}_count")]
        sums = [value for key, value in samples.items() if key.startswith(f"{name}_sum")]
        assert sum(counts) == count
        assert sum(sums) == pytest.approx(0.001 * count * (count - 1) / 2)


def test_findings_retries_and_aborts_are_counted() -> None:
    metrics = Metrics()
    finding = Finding("plus", "phone", 6, b"+", b"%2B")
    metrics.hear([make_record(findings=(finding, finding), retries=("stale",))])
    metrics.hear([make_record(attempts=0)])
    metrics.hear([make_record(cut="it ended early", code="upstream-broken")])
    metrics.hear([make_record(status=499)])
    samples = read(metrics)
    assert samples['rcgw_query_findings_total{rule="plus"}'] == 2
    assert samples['rcgw_retries_total{reason="stale"}'] == 1
    assert samples['rcgw_aborted_total{reason="upstream-broken"}'] == 1
    assert samples['rcgw_aborted_total{reason="caller-gone"}'] == 1


def test_labels_that_others_make_up_end_as_other() -> None:
    metrics = Metrics()
    for number in range(600):
        metrics.hear([make_record(cut="x", code=f"code-{number}")])
    samples = read(metrics)
    assert samples['rcgw_aborted_total{reason="other"}'] == 100
    assert sum(name.startswith("rcgw_aborted_total") for name in samples) == 501


def test_gauges_are_read_when_sampled() -> None:
    now = {"in_flight": 1}
    metrics = Metrics()
    metrics.watch(Gauges(lambda: now["in_flight"], lambda: 2, lambda: 3, lambda: now["in_flight"]))
    metrics.sample()
    now["in_flight"] = 5
    metrics.sample()
    now["in_flight"] = 6
    samples = shown(metrics)
    assert samples["rcgw_in_flight_requests"] == 5
    assert samples["rcgw_open_connections"] == 2
    assert samples["rcgw_idle_upstream_connections"] == 3
    assert samples["rcgw_surplus_connections_total"] == 5


def test_the_build_and_the_process_are_told() -> None:
    text = Metrics().render()[0].decode()
    assert re.search(rf'rcgw_build_info{{.*version="{re.escape(__version__)}"}} 1\.0', text)
    assert "process_resident_memory_bytes" in text


def test_two_gateways_in_one_process_do_not_mix() -> None:
    first, second = Metrics(), Metrics()
    first.hear([make_record(retries=("stale", "token"))])
    assert 'rcgw_retries_total{reason="token"}' in read(first)
    assert 'rcgw_retries_total{reason="token"}' not in read(second)


def test_no_series_is_spent_on_creation_times() -> None:
    metrics = Metrics()
    metrics.hear([make_record(attempts=2)])
    assert not [name for name in read(metrics) if "_created" in name]


def test_a_scraper_gets_the_form_it_asks_for() -> None:
    metrics = Metrics()
    assert metrics.render()[1].startswith("text/plain; version=0.0.4")
    body, media_type = metrics.render("application/openmetrics-text;version=1.0.0")
    assert media_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")

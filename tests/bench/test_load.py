"""What generators print and receive is read strictly."""

import json

import pytest

from tests.bench.origin import message, page, parse_accepted
from tests.bench.paced import Latencies, is_whole, norm_request
from tests.bench.wrk import Tally, parse

REPORT = """Running 1s test @ http://127.0.0.1:8080/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.36ms  330.13us   6.78ms   95.50%
    Req/Sec    47.37k     1.72k   49.69k    90.00%
  47372 requests in 1.00s, 33.66MB read
Requests/sec:  47251.11
Transfer/sec:     33.57MB
"""


def test_a_report_of_wrk_is_read() -> None:
    assert parse(REPORT) == Tally(47372, 1.0, 0)
    assert parse("  9 requests in 2.00m, 1KB read") == Tally(9, 120.0, 0)


def test_errors_of_every_kind_are_failures() -> None:
    errors = "  Socket errors: connect 1, read 2, write 3, timeout 4\n"
    refused = "  Non-2xx or 3xx responses: 10\n"
    assert parse(REPORT + errors + refused).failed == 20


def test_what_is_no_report_is_not_read_as_one() -> None:
    with pytest.raises(ValueError, match="unable to connect"):
        parse("unable to connect to 127.0.0.1:1 Connection refused")


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", False),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", True),
    ],
)
def test_an_answer_is_whole_by_its_framing(data: bytes, *, whole: bool) -> None:
    assert is_whole(data) is whole


def test_a_percentile_is_the_nearest_rank() -> None:
    seen = Latencies(tuple(float(n) for n in range(1, 101)), failed=0)
    assert (seen.percentile(0.5), seen.percentile(0.99), seen.percentile(1.0)) == (50, 99, 100)
    assert Latencies((7.0,), 0).percentile(0.99) == 7.0
    assert Latencies((), 3).percentile(0.5) != Latencies((), 3).percentile(0.5)


def test_the_paced_request_is_the_norm_job() -> None:
    head = norm_request(1)
    assert head.startswith(b"POST /restapi/")
    assert b"X-HTTP-Method-Override: DELETE\r\n" in head


def test_the_origin_answers_some_400_bytes() -> None:
    assert 350 <= len(message(65535)) <= 550


def test_the_page_is_nearly_64_kib_and_full_of_links() -> None:
    body = page(65535)
    assert 63 * 1024 <= len(body) <= 64 * 1024
    assert body.count(b'"http://127.0.0.1:65535/') > 100
    assert json.loads(body)["records"]


def test_stub_status_is_read() -> None:
    text = "Active connections: 1 \nserver accepts handled requests\n 17 17 40 \nReading: 0 \n"
    assert parse_accepted(text) == 17

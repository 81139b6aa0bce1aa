"""The line of a request: its fields, its level, when it is written, what it hides."""

import io
import json
from dataclasses import replace
from typing import Any

import pytest
import structlog
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.core.query import Finding
from gateway.engine.events import Asked, Record
from gateway.ops.log_output import AT
from gateway.ops.request_log import RequestLog, _end_of, describe, shorten

SECRET = "s3cr3t"


def make_record(**changes: Any) -> Record:
    fields: dict[str, Any] = {
        "request_id": "r-1",
        "started": 1.0,
        "wire_method": "POST",
        "method": "DELETE",
        "path": b"/restapi/v1.0/account/~",
        "query_names": ("_method", "view"),
        "version": "HTTP/1.1",
        "user_agent": b"curl/8.5",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "caller": "local",
        "upstream": "platform",
        "operation": "/restapi/v1.0/account/{accountId}",
        "rate_group": "Light",
        "status": 204,
        "attempts": 1,
        "bytes_in": 3,
        "bytes_out": 5,
        "queue_s": 0.0001234,
        "upstream_first_byte_s": 0.25,
        "total_s": 0.5,
        "rc_request_id": "rc-1",
    }
    given = fields | changes
    asked = {name: given.pop(name) for name in [*given] if name in Asked.__slots__}
    return Record(**given, asked=Asked(**asked))


def log(record: Record, requests: str = "on", level: str = "info") -> list[dict[str, Any]]:
    stream = io.BytesIO()
    logger: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        structlog.BytesLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            lambda _logger, _method, event: json.dumps(
                event | event.pop("fields"), default=repr
            ).encode(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    RequestLog(logger, requests).hear([record])
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_from_where_a_request_came_where_that_is_not_this_machine() -> None:
    assert log(make_record(client_address="192.0.2.1"))[0]["client_address"] == "192.0.2.1"
    assert "client_address" not in log(make_record())[0]


def test_a_line_says_all_that_the_contract_names() -> None:
    (line,) = log(make_record())
    assert line.pop(AT) == 1.5
    assert line == {
        "event": "request",
        "level": "info",
        "request_id": "r-1",
        "caller": "local",
        "upstream": "platform",
        "wire_method": "POST",
        "method": "DELETE",
        "path": "/restapi/v1.0/account/~",
        "query_names": ["_method", "view"],
        "http_version": "HTTP/1.1",
        "user_agent": "curl/8.5",
        "status": 204,
        "code": None,
        "bytes_in": 3,
        "bytes_out": 5,
        "queue_ms": 0.123,
        "upstream_first_byte_ms": 250.0,
        "total_ms": 500.0,
        "attempts": 1,
        "operation": "/restapi/v1.0/account/{accountId}",
        "rate_group": "Light",
        "rc_request_id": "rc-1",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    }


def test_a_refusal_has_our_code_and_its_reason() -> None:
    (line,) = log(make_record(status=404, code="no-route", message="no upstream", upstream=""))
    assert (line["code"], line["reason"], line["upstream"]) == ("no-route", "no upstream", None)


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({"status": 200}, "info"),
        ({"status": 404}, "info"),
        ({"status": 499}, "info"),
        ({"status": 502, "code": "upstream-broken"}, "warning"),
        ({"status": 503, "code": "draining"}, "warning"),
        ({"status": 500}, "warning"),
        ({"status": 200, "cut": "upstream-broken"}, "warning"),
        ({"status": 500, "bug": KeyError("x")}, "error"),
    ],
)
def test_the_level_tells_whose_fault_it_is(changes: dict[str, Any], level: str) -> None:
    (line,) = log(make_record(**changes))
    assert line["level"] == level


@pytest.mark.parametrize(
    ("requests", "changes", "written"),
    [
        ("on", {"status": 200}, True),
        ("errors", {"status": 399}, False),
        ("errors", {"status": 400}, True),
        ("errors", {"status": 200, "cut": "x"}, True),
        ("off", {"status": 502}, False),
        ("off", {"status": 500, "bug": KeyError()}, True),
    ],
)
def test_the_setting_decides_which_requests_are_written(
    requests: str, changes: dict[str, Any], written: bool
) -> None:
    assert bool(log(make_record(**changes), requests)) == written


def test_a_level_above_leaves_ordinary_requests_out() -> None:
    assert log(make_record(), level="warning") == []
    assert log(make_record(status=502), level="warning")


def test_a_bug_is_logged_with_the_error_itself() -> None:
    (line,) = log(make_record(status=500, code="internal", bug=KeyError("x")))
    assert line["exc_info"] == "KeyError('x')"


def test_a_cut_and_findings_are_told() -> None:
    finding = Finding("plus", "phone", 6, b"+", b"%2B")
    (line,) = log(make_record(cut="it ended early", message="the same", findings=(finding,)))
    assert line["cut"] == "it ended early"
    assert "reason" not in line
    assert line["warnings"] == [str(finding)]


def test_endless_lists_are_cut_with_a_count() -> None:
    (line,) = log(make_record(query_names=tuple("x" * 31)))
    assert len(line["query_names"]) == 31
    assert line["query_names"][-1] == "and 1 more"


@pytest.mark.parametrize("shown", [True, False])
def test_a_secret_in_a_path_is_not_written_nor_the_reason_that_quotes_it(shown: bool) -> None:
    path = b"/api/auth/logout/" + SECRET.encode() if shown else b""
    reason = f"no enabled upstream owns '/api/auth/logout/{SECRET}'"
    lines = log(make_record(path=path, status=404, code="no-route", message=reason))
    assert SECRET not in json.dumps(lines)
    assert lines[0]["path"] == ("/api/auth/…" if shown else None)
    assert "reason" not in lines[0]


@given(st.binary(), st.binary(), st.text(), st.lists(st.text(), max_size=3), st.text())
def test_any_request_makes_a_line_of_printable_text(
    path: bytes, agent: bytes, reason: str, names: list[str], cut: str
) -> None:
    record = make_record(
        path=path,
        user_agent=agent,
        message=reason,
        query_names=tuple(names),
        cut=cut,
    )
    for value in describe(record).values():
        texts = value if isinstance(value, list) else [value]
        assert all(text.isprintable() for text in texts if isinstance(text, str))


paths = st.sampled_from(
    [
        *(b"/restapi/v1.0/x/", b"/api/auth/logout/", b'/a"/', b"/a%5c/", b"/\xc3\xa4/", b"/a\\/"),
        *(b"/" + b"1" * 990 + b"/", b"/" + b"1" * 1000 + b"/", b"", b"/x?path/"),
    ]
)


@given(paths, st.integers(0, 10**12), st.binary(max_size=30), st.booleans())
@example(b"/" + b"1" * 990 + b"/", 10**12, b"", True)
def test_a_line_made_from_that_of_a_like_request_is_the_same(
    path: bytes, number: int, agent: bytes, was_written: bool
) -> None:
    like = make_record(path=path + b"1", user_agent=agent).asked
    if was_written:
        _end_of(like)
    asked = replace(like, path=path + b"%d" % number, like=like, line=b"")
    assert _end_of(asked) == _end_of(replace(asked, like=None))


def test_people_read_what_was_asked_and_answered_first() -> None:
    event = {"event": "request", **describe(make_record())}
    assert shorten(event) == {
        "event": "204 POST>DELETE /restapi/v1.0/account/~",
        "request_id": "r-1",
        "upstream": "platform",
        "query_names": ["_method", "view"],
        "bytes_out": 5,
        "upstream_first_byte_ms": 250.0,
        "total_ms": 500.0,
        "attempts": 1,
        "rate_group": "Light",
        "rc_request_id": "rc-1",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    }


@pytest.mark.parametrize(
    ("changes", "headline"),
    [
        ({"wire_method": "GET", "method": "GET"}, "204 GET /restapi/v1.0/account/~"),
        ({"wire_method": "GET", "method": ""}, "204 GET /restapi/v1.0/account/~"),
        ({"wire_method": "", "method": "", "path": b"", "status": 400}, "400"),
    ],
)
def test_a_headline_leaves_out_what_is_not_known(changes: dict[str, Any], headline: str) -> None:
    event = {"event": "request", **describe(make_record(**changes))}
    assert shorten(event)["event"] == headline


def test_other_events_are_left_as_they_are() -> None:
    event = {"event": "ready", "port": None}
    assert shorten(event) is event

"""One log line for each request, and what stands in it.

Rule 1: no value of a query, no header but the User-Agent, no secret part of a path.
Rule 2: durations are milliseconds and their names say so; sizes are bytes of body.
Rule 3: a bug of ours is logged with its traceback, whatever `log.requests` says.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

import orjson
import structlog
from structlog.typing import FilteringBoundLogger

from gateway.engine.events import Asked, Record
from gateway.ops.log_output import AT, Event, json_lines
from gateway.ops.redaction import MAX_PATH, hides_secret, show_path, show_text

# More names, or more findings, say nothing that these do not.
_MAX_LISTED = 30
# Doubles of this size have no fraction, so adding it and taking it away rounds (IEEE 754).
_WHOLE = 1.5 * 2**52
_LEVELS = _INFO, _WARNING, _ERROR = logging.INFO, logging.WARNING, logging.ERROR
_USUAL = frozenset({"HTTP/1.1", "GET", "POST", "PUT", "PATCH", "DELETE"})
_HEADLINE = ("status", "method", "wire_method", "path")
_PATH = b'"path":"%b",'
_NOT_FOR_PEOPLE = ("http_version", "user_agent", "bytes_in", "queue_ms", "operation", "caller")


class RequestLog:
    """Writes each finished request; `requests` is `log.requests`: on, errors or off.

    "errors" are answers of 400 and above and answers that were cut.
    """

    def __init__(self, logger: FilteringBoundLogger, requests: str = "on") -> None:
        self.use(logger, requests)

    def use(self, logger: FilteringBoundLogger, requests: str) -> None:
        """Write there, and of these requests, from now on."""
        self._logger = logger
        self._only_errors = requests != "on"
        self._errors = requests != "off"
        # Asked once: a logger looks for each of its methods anew.
        self._levels = [level for level in _LEVELS if logger.is_enabled_for(level)]
        self._lines = json_lines(logger)
        # What every line of a bound logger has.
        self._bound = structlog.get_context(logger)

    def hear(self, records: Iterable[Record]) -> None:
        """Write the lines of requests, those that are wanted."""
        levels, only_errors, lines, bound = (
            self._levels,
            self._only_errors,
            self._lines,
            self._bound,
        )
        for record in records:
            # A failure that is not the caller's is louder than all else.
            level = _WARNING if record.status >= 500 or record.cut else _INFO
            if record.bug is not None:
                level = _ERROR
            if level not in levels or (only_errors and not self._wants(record)):
                continue
            ended = record.started + record.total_s
            if lines is None:
                self._logger.log(level, "request", fields=describe(record), **{AT: ended})
                continue
            fields, asked = describe_course(record), record.asked
            if bound:
                fields |= bound
            lines.tell(level, "request", ended, fields, asked.line or _end_of(asked))

    def _wants(self, record: Record) -> bool:
        """Tell whether a request is told of when not all are."""
        if record.bug is not None:
            return True
        return self._errors and (record.status >= 400 or bool(record.cut))


def describe(record: Record) -> dict[str, object]:
    """Return the fields of a request's line; None where there is nothing to say."""
    return describe_course(record) | describe_head(record.asked)


def describe_head(asked: Asked) -> dict[str, object]:
    """Return what the head of a request says, and what was decided of it."""
    return {
        "caller": asked.caller or None,
        "upstream": asked.upstream or None,
        "wire_method": _show_usual(asked.wire_method) or None,
        "method": _show_usual(asked.method) or None,
        "path": show_path(asked.path) if asked.path else None,
        "query_names": _texts(asked.query_names),
        "http_version": _show_usual(asked.version) or None,
        "user_agent": show_text(asked.user_agent) or None,
        "operation": asked.operation or None,
        "rate_group": asked.rate_group or None,
        "trace_id": asked.trace_id or None,
    }


def describe_course(record: Record) -> dict[str, object]:
    """Return what became of a request."""
    first_byte_s = record.upstream_first_byte_s
    # To a microsecond, at a fifth of what `round` costs.
    fields: dict[str, object] = {
        "request_id": record.request_id,
        "status": record.status,
        "code": record.code or None,
        "bytes_in": record.bytes_in,
        "bytes_out": record.bytes_out,
        "queue_ms": (record.queue_s * 1e6 + _WHOLE - _WHOLE) / 1000,
        "upstream_first_byte_ms": (
            None if first_byte_s is None else (first_byte_s * 1e6 + _WHOLE - _WHOLE) / 1000
        ),
        "total_ms": (record.total_s * 1e6 + _WHOLE - _WHOLE) / 1000,
        "attempts": record.attempts,
        "rc_request_id": record.rc_request_id or None,
    }
    if record.client_address:
        fields["client_address"] = record.client_address
    if record.retries or record.cut or record.message or record.asked.findings or record.bug:
        _add_exceptional(fields, record)
    return fields


def _end_of(asked: Asked) -> bytes:
    """Return how the line ends: the head's fields, written once for requests with the same head."""
    asked.line = _end_like(asked) or b"," + orjson.dumps(describe_head(asked))[1:]
    return asked.line


def _end_like(asked: Asked) -> bytes:
    """Return how the line ends, from that of a request with another path; empty if it cannot."""
    like = asked.like
    if like is None or len(asked.path) > MAX_PATH:
        return b""
    # Where it stands as it came there is nothing in it that is escaped, cut, or a secret.
    before, found, behind = like.line.partition(_PATH % like.path)
    return b"".join((before, _PATH % asked.path, behind)) if found else b""


def shorten(event: Event) -> Event:
    """Rewrite a request's line for people: what was asked and answered first, no blanks."""
    if event.get("event") != "request":
        return event
    status, method, wire, path = (event.pop(key) for key in _HEADLINE)
    verb = f"{wire}>{method}" if method and method != wire else wire
    event["event"] = " ".join(str(part) for part in (status, verb, path) if part)
    for key in _NOT_FOR_PEOPLE:
        event.pop(key, None)
    return {key: value for key, value in event.items() if value not in (None, "", [])}


def _add_exceptional(fields: dict[str, object], record: Record) -> None:
    """Add the fields that most requests do not have."""
    if record.retries:
        fields["retries"] = _texts(record.retries)
    if record.cut:
        fields["cut"] = show_text(record.cut)
    # A reason may quote the path it speaks of, also one that is not believed.
    elif record.message and not hides_secret(record.message.encode()):
        fields["reason"] = show_text(record.message)
    if record.asked.findings:
        fields["warnings"] = _texts(str(finding) for finding in record.asked.findings)
    if record.bug is not None:
        fields["exc_info"] = record.bug


def _show_usual(value: str) -> str:
    """Return what `show_text` does, at once of what nearly all requests say."""
    return value if value in _USUAL else show_text(value)


def _texts(values: Iterable[str]) -> list[str]:
    listed = list(values)
    more = [f"and {len(listed) - _MAX_LISTED} more"] if len(listed) > _MAX_LISTED else []
    return [show_text(value) for value in listed[:_MAX_LISTED]] + more

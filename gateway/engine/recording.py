"""What of a request goes into its record: names and counts, never values.

Rule: a target that was not believed is recorded only as far as it is plainly a path.
"""

from __future__ import annotations

import os
import re

from gateway.core.grammar import REQUEST_ID, TAB
from gateway.core.headers import values_of
from gateway.core.message import RawHead
from gateway.core.query import names_in
from gateway.engine.events import Asked
from gateway.engine.incoming import Incoming
from gateway.errors import show
from gateway.pipeline import AnsweredHere
from gateway.policy.forward import Plan

# W3C Trace Context: version "-" trace-id "-" parent-id "-" flags.
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.*")

# The vendor's have 36 characters.
_MOST_ID = 128
# Asking the kernel costs more than all else about one.
_MADE_AT_ONCE = 64
_unused: list[str] = []


def request_id_of(incoming: Incoming) -> str:
    """Return the caller's `X-Request-Id` when it is plain, else a new one (128 bits).

    A head that is known has none.
    """
    if incoming.flaw is None and incoming.known is None:
        given = values_of(incoming.message.raw_headers, b"x-request-id")
        if len(given) == 1 and REQUEST_ID.fullmatch(given[0]) is not None:
            return given[0].decode()
    return new_request_id()


def new_request_id() -> str:
    """Return 128 random bits, in hexadecimal digits."""
    if not _unused:
        digits = os.urandom(_MADE_AT_ONCE * 16).hex()
        _unused.extend([digits[at : at + 32] for at in range(0, len(digits), 32)])
    return _unused.pop()


def show_id(value: bytes) -> str:
    """Return an id of the vendor's in printable ASCII, at most 128 characters of it."""
    if len(value) <= _MOST_ID and value.isascii() and TAB not in value:
        # A field has no other control.
        return value.decode()
    return show(value, _MOST_ID)[:_MOST_ID]


def note_head(asked: Asked, raw: RawHead) -> None:
    """Take down what was received."""
    asked.wire_method = asked.method = raw.method.decode("ascii", "replace")
    asked.version = raw.version.decode("ascii", "replace")
    if raw.target.startswith(b"/"):
        path, _, query = raw.target.partition(b"?")
        asked.path, asked.query_names = path, names_in(query)
    for value in raw.values(b"user-agent"):
        asked.user_agent = value
    for value in raw.values(b"traceparent"):
        if match := _TRACEPARENT.fullmatch(value):
            asked.trace_id = match[1].decode()


def note_decision(asked: Asked, decision: Plan | AnsweredHere) -> None:
    """Take down what was decided."""
    request = decision.request
    asked.method = request.method
    asked.findings = request.findings
    asked.path = request.target.path
    if request.query is not request.target.query:
        asked.query_names = names_in(request.query)
    if isinstance(decision, AnsweredHere):
        return
    asked.caller = decision.permitted.caller.name
    asked.upstream = decision.upstream.name
    asked.rate_group = decision.rate_group or ""
    operation = decision.permitted.routed.operation
    asked.operation = operation.template if operation is not None else ""

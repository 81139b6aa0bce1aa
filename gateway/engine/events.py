"""What the engine tells of each request, once, when it is over.

The engine never logs or counts. It fills a `Record` while a request is under way and
hands it to an `Events`, which `ops` implements and `app` passes in.

Rule: a record holds no secret: query names but no values, and no header of the caller's
but its User-Agent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from gateway.core.query import Finding


@dataclass(slots=True)
class Asked:
    """What the head of a request said, and what was decided about it.

    Requests with the same head may share one. `like` is that of a request from which this one
    differs in its path alone, in ids; `line` is what a listener has made of it.
    """

    wire_method: str = ""
    method: str = ""
    path: bytes = b""
    query_names: tuple[str, ...] = ()
    version: str = ""
    user_agent: bytes = b""
    trace_id: str = ""
    caller: str = ""
    upstream: str = ""
    operation: str = ""
    rate_group: str = ""
    findings: tuple[Finding, ...] = ()
    like: Asked | None = field(default=None, repr=False, compare=False)
    line: bytes = field(default=b"", repr=False, compare=False)


@dataclass(slots=True)
class Record:
    """One request; durations in seconds, sizes in bytes of body, times monotonic.

    `status` is what the caller got, 499 when the caller went away before it had the whole
    answer; `code` is our error code when the answer is ours; `cut` says why we cut short
    an answer that had begun, or was awaited when the gateway stopped; `retries` says why each
    attempt after the first one was made, `limited` which limit of the vendor's we kept to.
    `rc_request_id` is printable ASCII, as `recording.show_id` makes it. `client_address` is whose
    connection it came by, where that can be another machine's.
    """

    request_id: str
    started: float
    asked: Asked = field(default_factory=Asked)
    client_address: str = ""
    status: int = 0
    code: str = ""
    message: str = ""
    cut: str = ""
    bug: BaseException | None = None
    attempts: int = 0
    retries: tuple[str, ...] = ()
    limited: str = ""
    bytes_in: int = 0
    bytes_out: int = 0
    queue_s: float = 0.0
    upstream_status: int = 0
    upstream_first_byte_s: float | None = None
    upstream_s: float | None = None
    total_s: float = 0.0
    rc_request_id: str = ""


class Events(Protocol):
    """Hears of every request exactly once."""

    def finished(self, record: Record) -> None:
        """Take note of a request that is over."""
        ...

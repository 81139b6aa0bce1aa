"""An answer before it meets a socket.

Every operation returns an `Answer`, a frozen value, so an operation can be tested without
a server. JSON is written as the vendor writes it: indented, a blank on both sides of the
colon, text not escaped to ASCII. That is on purpose harder to rewrite than compact JSON.

This module does not know which headers all answers share; `service` adds those.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.simulator.faults import Document, Fault

JSON_TYPE = "application/json;charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers in order and body."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def adding(self, headers: Mapping[str, str]) -> "Answer":
        """Return the same answer with further headers after its own."""
        return replace(self, headers=(*self.headers, *headers.items()))


def render_document(document: Document | Sequence[object], status: int = 200) -> Answer:
    """Write a JSON document in the vendor's typography."""
    text = json.dumps(document, indent=2, separators=(",", " : "), ensure_ascii=False)
    # A surrogate stands for a byte of the request that was no UTF-8; it has no spelling here.
    body = text.encode("utf-8", "replace")
    return Answer(status, (("Content-Type", JSON_TYPE),), body)


def render_text(text: str, status: int = 200) -> Answer:
    """Write a plain text."""
    return Answer(status, (("Content-Type", "text/plain;charset=UTF-8"),), text.encode())


def render_fault(fault: Fault) -> Answer:
    """Write a refusal."""
    return render_document(fault.document(), fault.status).adding(fault.headers)

"""What the answer of a token endpoint means.

The vendor's table of retries, read off the status, the fields and the codes of the body.

Rule 1: bodies are read with suspicion: bounded, and what is no JSON object is as good as none.
Rule 2: what is told of an answer is its status and its codes; never its free text.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any

from gateway.core.headers import Fields
from gateway.credentials.failures import Outcome, TokenCallFailed
from gateway.policy.rate_fields import parse_retry_after
from gateway.policy.rejections import speaks_of_token

# A token answer has a few kilobytes; a larger one is not one.
MAX_ANSWER_BYTES = 262_144
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,40}")


def read_object(body: bytes) -> dict[str, Any] | None:
    """Return a body's JSON object, or None."""
    if len(body) > MAX_ANSWER_BYTES:
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def judge(origin: str, status: int, fields: Mapping[str, str], body: bytes) -> TokenCallFailed:
    """Return what an answer that is not 2xx means (the vendor's table of retries)."""
    codes = read_codes(body)
    reason = f"{origin} answered {status}" + (f" ({', '.join(codes)})" if codes else "")
    retry_after_s = _wait_of(fields)
    if status == 429 or (status == 503 and retry_after_s is not None):
        outcome = Outcome.THROTTLED
    elif status in (400, 401):
        outcome, retry_after_s = Outcome.REJECTED, None
    else:
        outcome, retry_after_s = Outcome.ERROR, None
    return TokenCallFailed(
        outcome,
        reason,
        status=status,
        retry_after_s=retry_after_s,
        speaks_of_token=speaks_of_token(status, _raw(fields), body),
        codes=codes,
    )


def read_codes(body: bytes) -> tuple[str, ...]:
    """Return the error codes of an answer, each once; never its free text."""
    document = read_object(body) or {}
    inner = document.get("errors")
    found = [document.get("error"), document.get("errorCode")]
    if isinstance(inner, list):
        found += [error.get("errorCode") for error in inner if isinstance(error, dict)]
    return tuple(
        dict.fromkeys(code for code in found if isinstance(code, str) and _CODE.fullmatch(code))
    )


def _wait_of(fields: Mapping[str, str]) -> float | None:
    text = fields.get("Retry-After")
    if text is None:
        return None
    return parse_retry_after(text.encode("utf-8", "replace"), time.time())


def _raw(fields: Mapping[str, str]) -> Fields:
    return tuple(
        (name.encode(), value.encode("utf-8", "replace")) for name, value in fields.items()
    )

"""gateway/engine/dismissal.py."""

import pytest

from gateway.core.message import IDEMPOTENT
from gateway.engine.dismissal import dismissal_of
from gateway.engine.events import Asked, Record


@pytest.mark.parametrize("method", [*sorted(IDEMPOTENT), "POST", "PATCH"])
@pytest.mark.parametrize("upstream_s", [None, 0.0, 1.5])
def test_only_what_may_be_sent_again_is_told_to_try_again(
    method: str, upstream_s: float | None
) -> None:
    record = Record("id", 0.0, Asked(method=method), upstream_s=upstream_s)
    error = dismissal_of(record)
    is_harmless = upstream_s is None or method in IDEMPOTENT
    expected = (503, "draining") if is_harmless else (504, "upstream-timeout")
    assert (error.status, error.code) == expected
    assert hasattr(error, "retry_after_s") is is_harmless

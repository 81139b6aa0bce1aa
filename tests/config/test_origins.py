"""Origins: scheme, host and port, and never a secret in a refusal."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.origins import parse_origin, parse_public_origin
from tests.config.loading import reason_of, vectors_of


@pytest.mark.parametrize("case", vectors_of("config_origins"), ids=lambda case: repr(case["text"]))
def test_an_origin_is_read_or_refused_with_its_reason(case: Mapping[str, Any]) -> None:
    if "refused" in case:
        assert case["refused"] in reason_of(parse_origin, case["text"])
        return
    origin = parse_origin(case["text"])
    assert str(origin) == case["origin"]
    assert (origin.host, origin.port) == (case["host"], case["port"])


@given(st.text() | st.from_regex(r"https?://[a-z0-9.:\[\]@/?]*", fullmatch=True))
def test_what_an_origin_is_written_back_as_is_the_same_origin(text: str) -> None:
    try:
        origin = parse_origin(text)
    except ValueError:
        return
    assert parse_origin(str(origin)) == origin


@pytest.mark.parametrize(
    "text",
    [
        *("https://s3cr3t:s3cr3t@host", "https://host/s3cr3t", "https://host?k=s3cr3t", "s3cr3t"),
        "https://user:s3cr3t",
    ],
)
def test_a_refused_origin_shows_nothing_that_may_be_secret(text: str) -> None:
    reason = reason_of(parse_origin, text)
    assert reason
    assert "s3cr3t" not in reason


def test_callers_may_reach_the_gateway_over_plain_http() -> None:
    assert str(parse_public_origin("http://rc.corp.example")) == "http://rc.corp.example"
    assert "without a path" in reason_of(parse_public_origin, "http://rc.corp.example/")

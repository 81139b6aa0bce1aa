"""Timeouts and limits: the contract's numbers, and bounds that let the unusual pass."""

import pytest
from pydantic import ValidationError

from gateway.config.bounds import Limits, Timeouts


def test_the_timeouts_are_the_contracts_in_seconds() -> None:
    assert Timeouts().model_dump() == {
        "head_s": 10,
        "body_idle_s": 30,
        "connect_s": 5,
        "first_byte_s": 60,
        "idle_s": 60,
        "client_write_s": 60,
        "keepalive_s": 75,
        "drain_s": 20,
    }


def test_the_limits_are_the_contracts_in_bytes() -> None:
    assert Limits().model_dump() == {
        "max_head_bytes": 65536,
        "max_target_bytes": 16384,
        "max_body_bytes": 110 * 1024 * 1024,
        "replay_body_bytes": 65536,
        "max_connections": 10000,
        "max_in_flight": 1000,
    }


def test_seconds_may_be_fractions() -> None:
    assert Timeouts.model_validate({"head_s": 0.05}).head_s == 0.05


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), 86401, "1", True])
def test_seconds_are_positive_numbers_of_at_most_a_day(value: object) -> None:
    with pytest.raises(ValidationError, match="head_s"):
        Timeouts.model_validate({"head_s": value})


def test_nothing_may_be_held_for_a_replay() -> None:
    assert Limits.model_validate({"replay_body_bytes": 0}).replay_body_bytes == 0

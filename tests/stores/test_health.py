"""Trouble is told once, and its end once."""

from gateway.stores.health import Health
from tests.stores.telling import Told


def test_a_change_is_told_once_and_the_last_reason_stays(told: Told) -> None:
    health = Health(told)
    assert health.trouble is None
    health.succeed()
    assert str(health.fail("refused")) == "refused"
    assert str(health.fail("timed out")) == "timed out"
    assert health.trouble == "timed out"
    health.succeed()
    health.succeed()
    assert health.trouble is None
    assert told.lines == ["down: refused", "back"]

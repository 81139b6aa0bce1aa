import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulator.pace import Pace


def test_a_pace_shortens_what_is_documented() -> None:
    assert Pace().shorten(3600) == 3600
    assert Pace(600).shorten(3600) == 6


@pytest.mark.parametrize("scale", [0.0, -1.0, math.inf, math.nan])
def test_what_is_no_pace_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Pace(scale)


@pytest.mark.parametrize(
    ("scale", "seconds", "life", "wait"),
    [
        (1, 3600.0, "3600", "3600"),
        (1, 3599.4, "3599", "3600"),
        (1, 3599.99999999, "3600", "3600"),
        (600, 6.0, "6", "6"),
        (600, 0.1, "0.1", "0.1"),
        (600, 5.99949, "5.999", "6"),
        (7, 60 / 7, "8.571", "8.572"),
        (1, -3.0, "0", "0"),
    ],
)
def test_a_life_is_rounded_down_and_a_wait_up(
    scale: float, seconds: float, life: str, wait: str
) -> None:
    assert str(Pace(scale).write_life(seconds)) == life
    assert str(Pace(scale).write_wait(seconds)) == wait


@given(st.floats(0, 1e7), st.sampled_from([1.0, 2.0, 600.0]))
def test_what_is_written_promises_no_more_than_there_is(seconds: float, scale: float) -> None:
    life, wait = Pace(scale).write_life(seconds), Pace(scale).write_wait(seconds)
    assert life <= seconds + 1e-6
    assert wait >= seconds - 1e-6
    assert wait - life <= (1 if scale == 1 else 0.0011)
    assert len(str(life).partition(".")[2]) <= 3
    assert scale != 1 or isinstance(life, int)

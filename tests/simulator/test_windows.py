from collections.abc import Mapping

import pytest

from gateway.simulator.pace import Pace
from gateway.simulator.rates import LIMITS, PENALTY_S, WINDOW_S, Rates
from gateway.simulator.windows import Windows


def _left(windows: Windows, group: str, now: float, app: str = "") -> int:
    return int(windows.spend(app, group, now).headers["X-Rate-Limit-Remaining"])


def _enforcing(limits: Mapping[str, int] | None = None) -> Windows:
    return Windows(Rates(Pace(), enforced=True, limits=limits))


def test_the_headers_have_the_vendors_names_and_a_lower_case_group() -> None:
    assert Windows(Rates(Pace())).spend("", "Light", 0.0).headers == {
        "X-Rate-Limit-Group": "light",
        "X-Rate-Limit-Limit": "50",
        "X-Rate-Limit-Remaining": "49",
        "X-Rate-Limit-Window": "60",
    }


@pytest.mark.parametrize("group", list(LIMITS))
def test_remaining_goes_down_to_nought_and_nobody_is_turned_away(group: str) -> None:
    windows = Windows(Rates(Pace()))
    spent = [windows.spend("", group, 0.0) for _ in range(LIMITS[group] + 2)]
    left = [int(one.headers["X-Rate-Limit-Remaining"]) for one in spent]
    assert left == [*range(LIMITS[group] - 1, -1, -1), 0, 0]
    assert not any(one.wait_s for one in spent)


@pytest.mark.parametrize("group", list(LIMITS))
def test_enforced_a_group_takes_its_limit_and_not_one_more(group: str) -> None:
    windows = _enforcing()
    waits = [windows.spend("", group, 0.0).wait_s for _ in range(LIMITS[group] + 1)]
    assert waits == [*[0.0] * LIMITS[group], PENALTY_S]
    assert _left(windows, group, 0.0) == 0


def test_each_application_and_group_counts_for_itself() -> None:
    windows = _enforcing({"Heavy": 1})
    assert windows.spend("", "Heavy", 0.0).wait_s == 0
    assert windows.spend("", "Heavy", 0.0).wait_s == PENALTY_S
    assert windows.spend("another", "Heavy", 0.0).wait_s == 0
    assert _left(windows, "Light", 0.0) == 49


def test_the_window_rolls() -> None:
    windows = Windows(Rates(Pace()))
    windows.spend("", "Heavy", 0.0)
    windows.spend("", "Heavy", 30.0)
    assert _left(windows, "Heavy", WINDOW_S - 0.1) == 7
    assert _left(windows, "Heavy", WINDOW_S) == 7
    assert _left(windows, "Heavy", 1000.0) == 9


@pytest.mark.parametrize("group", [None, "NoThrottling"])
def test_a_group_without_a_limit_has_no_headers(group: str | None) -> None:
    assert _enforcing().spend("", group, 0.0) == ({}, 0.0)


def test_a_time_scale_shortens_the_window_and_says_so() -> None:
    windows = Windows(Rates(Pace(600)))
    assert windows.spend("", "Heavy", 0.0).headers["X-Rate-Limit-Window"] == "0.1"
    assert _left(windows, "Heavy", 0.05) == 8
    assert _left(windows, "Heavy", 0.2) == 9

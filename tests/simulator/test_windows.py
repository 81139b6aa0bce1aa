import pytest

from gateway.simulator.pace import Pace
from gateway.simulator.windows import LIMITS, WINDOW_S, Windows


def test_the_headers_have_the_vendors_names_and_a_lower_case_group() -> None:
    assert Windows(Pace()).spend("Light", 0.0) == {
        "X-Rate-Limit-Group": "light",
        "X-Rate-Limit-Limit": "50",
        "X-Rate-Limit-Remaining": "49",
        "X-Rate-Limit-Window": "60",
    }


@pytest.mark.parametrize("group", list(LIMITS))
def test_remaining_goes_down_to_nought_and_stays(group: str) -> None:
    windows = Windows(Pace())
    limit = LIMITS[group]
    left = [windows.spend(group, 0.0)["X-Rate-Limit-Remaining"] for _ in range(limit + 2)]
    assert left == [*(str(number) for number in range(limit - 1, -1, -1)), "0", "0"]


def test_each_group_counts_for_itself() -> None:
    windows = Windows(Pace())
    windows.spend("Heavy", 0.0)
    assert windows.spend("Light", 0.0)["X-Rate-Limit-Remaining"] == "49"


def test_the_window_rolls() -> None:
    windows = Windows(Pace())
    windows.spend("Heavy", 0.0)
    windows.spend("Heavy", 30.0)
    assert windows.spend("Heavy", WINDOW_S - 0.1)["X-Rate-Limit-Remaining"] == "7"
    assert windows.spend("Heavy", WINDOW_S)["X-Rate-Limit-Remaining"] == "7"
    assert windows.spend("Heavy", 1000.0)["X-Rate-Limit-Remaining"] == "9"


@pytest.mark.parametrize("group", [None, "NoThrottling"])
def test_a_group_without_a_limit_has_no_headers(group: str | None) -> None:
    assert Windows(Pace()).spend(group, 0.0) == {}


def test_a_time_scale_shortens_the_window_and_says_so() -> None:
    windows = Windows(Pace(600))
    assert windows.spend("Heavy", 0.0)["X-Rate-Limit-Window"] == "0.1"
    assert windows.spend("Heavy", 0.05)["X-Rate-Limit-Remaining"] == "8"
    assert windows.spend("Heavy", 0.2)["X-Rate-Limit-Remaining"] == "9"

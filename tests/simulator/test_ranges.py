import pytest

from gateway.simulator.faults import Fault
from gateway.simulator.ranges import parse_range


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", range(1)),
        ("bytes=2-4", range(2, 5)),
        ("bytes=5-", range(5, 10)),
        ("bytes=-3", range(7, 10)),
        ("bytes=-99", range(10)),
        ("bytes=8-99", range(8, 10)),
        ("BYTES= 1-2 ", range(1, 3)),
    ],
)
def test_one_range_is_served(header: str, expected: range) -> None:
    assert parse_range(header, 10) == expected


@pytest.mark.parametrize(
    "header", ["", "bytes=-", "bytes=4-2", "bytes=0-1,3-4", "lines=1-2", "bytes=a-b", "bytes=²-3"]
)
def test_a_range_that_is_not_understood_is_ignored(header: str) -> None:
    assert parse_range(header, 10) is None


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_a_range_after_the_end_cannot_be_satisfied(header: str) -> None:
    with pytest.raises(Fault, match="416 CMN-107"):
        parse_range(header, 10)

from datetime import UTC, datetime, timedelta

import pytest

from gateway.simulator.faults import Fault
from gateway.simulator.filters import choices, has_number, integer, interval, moment, one, values

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def test_repeated_values_are_all_there_in_order() -> None:
    query = (("a", "1"), ("b", "2"), ("a", ""), ("a", "3"))
    assert values(query, "a") == ["1", "3"]
    assert one(query, "a") == "1"
    assert one(query, "c") == ""


def test_a_filter_takes_each_of_its_choices() -> None:
    query = (("type", "Fax"), ("type", "SMS"), ("type", "Fax"))
    assert choices(query, "type", ("Fax", "SMS", "Pager")) == {"Fax", "SMS"}
    assert choices((), "type", ("Fax",)) == frozenset()


@pytest.mark.parametrize("value", ["fax", "Fax,SMS", "x"])
def test_a_value_that_is_no_choice_is_refused_by_name(value: str) -> None:
    with pytest.raises(Fault, match="choose from Fax, SMS") as caught:
        choices((("type", value),), "type", ("Fax", "SMS"))
    assert caught.value.parameter == "type"


def test_a_whole_number_stays_between_its_bounds() -> None:
    assert integer((("n", "7"),), "n", 1, low=1, high=9) == 7
    assert integer((("n", ""),), "n", 1, low=1, high=9) == 1


@pytest.mark.parametrize("value", ["0", "10", "-1", "1.0", "x", " 1", "²", "1" * 5000])
def test_a_number_out_of_bounds_is_refused(value: str) -> None:
    with pytest.raises(Fault, match="from 1 to 9"):
        integer((("n", value),), "n", 1, low=1, high=9)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-03", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-02", datetime(2026, 3, 2, tzinfo=UTC)),
        ("2026-03-02T10:00:00.000Z", datetime(2026, 3, 2, 10, tzinfo=UTC)),
        ("2026-03-02T10:00:00+04:00", datetime(2026, 3, 2, 6, tzinfo=UTC)),
        ("", EPOCH),
    ],
)
def test_a_moment_is_read_as_the_vendor_writes_it(text: str, expected: datetime) -> None:
    assert moment((("d", text),), "d", EPOCH) == expected


@pytest.mark.parametrize("text", ["2026-03-02T10:00:00 04:00", "yesterday", "2026-13"])
def test_a_moment_whose_plus_was_lost_is_refused(text: str) -> None:
    with pytest.raises(Fault, match="send \\+ as %2B") as caught:
        moment((("dateFrom", text),), "dateFrom", EPOCH)
    assert caught.value.parameter == "dateFrom"


def test_an_absent_end_of_an_interval_is_open() -> None:
    first, last = interval((("dateFrom", "2026"),))
    assert first == datetime(2026, 1, 1, tzinfo=UTC)
    assert last - first > timedelta(days=365 * 1000)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("", True), ("+1650", True), ("1650", True), (" 1650", False), ("165", False)],
)
def test_a_number_is_found_with_or_without_its_plus(wanted: str, found: bool) -> None:
    assert has_number(wanted, [{"name": "x"}, {"phoneNumber": "+1650"}]) is found

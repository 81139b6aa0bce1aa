import pytest

from gateway.simulator.limits import Limit
from gateway.simulator.pace import Pace
from gateway.simulator.rates import LIMITS, Rates


def test_every_refusal_is_counted_by_group_and_by_what_it_did() -> None:
    rates = Rates(Pace(), enforced=True, limits={"Heavy": 1})
    limit = rates.make_limit("Heavy")
    assert [rates.charge("heavy", limit, at) for at in (0, 1, 60.5, 120.5)] == [0, 60, 60, 0]
    assert rates.report() == {
        "requests_refused": {"heavy": 2},
        "requests_in_penalty": 1,
        "penalties_begun": 1,
    }
    rates.forget()
    assert rates.report()["requests_refused"] == {}
    assert rates.report()["penalties_begun"] == 0


def test_a_limit_without_a_penalty_begins_none() -> None:
    rates = Rates(Pace(), enforced=True)
    limit = Limit(1, 60)
    assert [rates.charge("ringcx", limit, at) for at in (0, 20)] == [0, 40]
    assert rates.report()["requests_refused"] == {"ringcx": 1}
    assert rates.report()["penalties_begun"] == 0


def test_unless_enforced_only_what_always_refuses_does() -> None:
    rates = Rates(Pace())
    limit = rates.make_limit("Auth")
    assert not any(rates.charge("auth", limit, 0) for _ in range(7))
    assert rates.charge("auth", limit, 0, always=True) == 60
    assert rates.report()["requests_refused"] == {"auth": 1}


def test_headers_are_kept_back_when_they_are_not_to_be_told() -> None:
    rates = Rates(Pace())
    limit = rates.make_limit("Light")
    assert rates.describe("light", limit, 0)["X-Rate-Limit-Limit"] == "50"
    rates.told = False
    assert rates.describe("light", limit, 0) == {}


def test_some_numbers_are_replaced_and_the_others_stay() -> None:
    assert Rates(Pace(), limits={"Heavy": 3, "Bulk": 1}).limits == {**LIMITS, "Heavy": 3, "Bulk": 1}
    with pytest.raises(ValueError, match="at least 1"):
        Rates(Pace(), limits={"Heavy": 0})

import pytest

from gateway.simulator.control.desk import Control, Levers
from gateway.simulator.control.troubles import Cut, Trouble
from gateway.simulator.pace import Pace
from gateway.simulator.rates import Rates

KINDS = ("platform", "ringcx", "legacy", "sessions")


def _desk(moved: list[str]) -> tuple[Control, list[int]]:
    made = [0]
    expire = {name: (lambda name=name: moved.append(name)) for name in KINDS}
    show = {"sessions_made": lambda: made[0], "sessions_active": lambda: 7}
    return Control(Levers(expire, show), Rates(Pace())), made


def test_access_means_every_kind_of_access_token() -> None:
    moved: list[str] = []
    control, _ = _desk(moved)
    control.expire()
    control.expire("sessions")
    assert moved == ["platform", "ringcx", "legacy", "sessions"]
    with pytest.raises(KeyError):
        control.expire("x")


def test_troubles_are_asked_for_in_words() -> None:
    control, _ = _desk([])
    control.fail(2, 429, "7", "ringcx")
    control.stall(seconds=1.5)
    control.drop(kind="legacy")
    control.drop(kind="api", method="PUT", at=Cut.ARRIVAL)
    assert control.troubles.pending == [
        *[Trouble("ringcx", status=429, retry_after="7")] * 2,
        Trouble(held=True, held_s=1.5),
        Trouble("legacy", cut=Cut.ANSWER),
        Trouble("api", "PUT", status=500, cut=Cut.ARRIVAL),
    ]
    assert control.report()["troubles_pending"] == 5


def test_a_reset_forgets_what_was_made_and_not_what_is_active() -> None:
    control, made = _desk([])
    made[0] = 3
    control.drop()
    assert control.report()["sessions_made"] == 3
    control.reset()
    report = control.report()
    assert (report["sessions_made"], report["sessions_active"]) == (0, 7)
    assert report["troubles_pending"] == 0
    made[0] = 5
    assert control.report()["sessions_made"] == 2


def test_a_reset_lets_answers_tell_their_rates_again_and_forgets_refusals() -> None:
    rates = Rates(Pace())
    control = Control(Levers({}, {}), rates)
    control.tell_rates(told=False)
    rates.refused["light"] = 1
    assert control.report()["requests_refused"] == {"light": 1}
    assert not rates.told
    control.reset()
    assert rates.told
    assert control.report()["requests_refused"] == {}

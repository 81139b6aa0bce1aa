"""gateway/policy/rates.py."""

import math

import pytest

from gateway.errors import RateShield
from gateway.policy.rate_buckets import Reason, Shut
from gateway.policy.rate_fields import RateFields
from gateway.policy.rate_groups import RateKey
from gateway.policy.rate_windows import Window
from gateway.policy.rates import Budget, RateMode, Rates, Spent
from tests.policy.world import permitted_of, rate_fields

HEAVY = RateKey("platform", "ringcentral", "heavy", "GET /heavy")
LIGHT = RateKey("platform", "ringcentral", "light", "GET /light")
UNKNOWN = RateKey("platform", "ringcentral", "", "GET /unknown")
MEDIA = RateKey("media", "ringcentral", "light", "GET /media")
OTHER = RateKey("platform", "other", "heavy", "GET /heavy")
VOICE = RateKey("ringcx", "ringcx", "ringcx/7", "", (Window(3, 60.0),))
GUARDING = (RateMode.SHIELD, RateMode.QUEUE)


def rates_of(mode: RateMode = RateMode.SHIELD) -> Rates:
    return Rates(mode, b"key")


def answer(
    rates: Rates,
    key: RateKey,
    status: int,
    told: RateFields | None = None,
    *,
    now: float = 100.0,
    retry_after_s: float | None = None,
) -> Shut | None:
    return rates.learn(rates.spend(key, now), status, told, retry_after_s, now)


def refusal_of(rates: Rates, key: RateKey, now: float) -> RateShield:
    with pytest.raises(RateShield) as caught:
        rates.spend(key, now)
    return caught.value


@pytest.mark.parametrize("mode", RateMode)
def test_what_is_open_is_spent_and_what_is_shut_is_told_without_an_error(mode: RateMode) -> None:
    rates = rates_of(mode)
    spent = rates.spend_or_tell(HEAVY, 100.0)
    assert isinstance(spent, Spent)
    rates.learn(spent, 429, rate_fields("heavy", 0), None, 100.0)
    assert isinstance(rates.spend_or_tell(HEAVY, 101.0), Shut) is (mode in GUARDING)
    assert isinstance(rates.spend_or_tell(LIGHT, 101.0), Spent)
    assert isinstance(rates.spend_or_tell(HEAVY, 160.0), Spent)


@pytest.mark.parametrize("mode", GUARDING)
def test_a_429_shuts_the_group_of_the_credential_and_no_other(mode: RateMode) -> None:
    rates = rates_of(mode)
    shut = answer(rates, HEAVY, 429, rate_fields("heavy", 0), retry_after_s=60.0)
    assert shut == Shut(Reason.PENALTY, 160.0)
    error = refusal_of(rates, HEAVY, 100.5)
    assert (error.reason, error.retry_at, error.retry_after_s) == ("penalty", 160.0, 60)
    assert error.message == (
        "Request rate exceeded: the vendor answered 429, and a request now would prolong its "
        "penalty (group heavy); come back in 60 s"
    )
    rates.spend(LIGHT, 100.5)
    rates.spend(OTHER, 100.5)
    rates.spend(UNKNOWN, 100.5)
    refusal_of(rates, HEAVY, math.nextafter(160.0, 0))
    rates.spend(HEAVY, 160.0)


@pytest.mark.parametrize(("left_s", "wait_s"), [(0.000001, 1), (0.9, 1), (59.0, 59), (59.2, 60)])
def test_retry_after_is_whole_seconds_rounded_up(left_s: float, wait_s: int) -> None:
    rates = rates_of()
    answer(rates, HEAVY, 429, rate_fields("heavy", 0))
    assert refusal_of(rates, HEAVY, 160.0 - left_s).retry_after_s == wait_s


def test_nothing_remaining_shuts_before_the_vendor_has_to() -> None:
    rates = rates_of()
    assert answer(rates, HEAVY, 200, rate_fields("heavy", 0)) == Shut(Reason.EXHAUSTED, 160.0)
    assert refusal_of(rates, HEAVY, 101.0).reason == "exhausted"


def test_requests_at_once_do_not_overshoot_what_remains() -> None:
    rates = rates_of()
    answer(rates, HEAVY, 200, rate_fields("heavy", 3))
    spent = [rates.spend(HEAVY, 101.0) for _ in range(3)]
    assert refusal_of(rates, HEAVY, 101.0).retry_at == 160.0
    rates.release(spent[0], 101.0, sent=False)
    rates.spend(HEAVY, 101.0)
    rates.release(spent[1], 101.0, sent=True)
    refusal_of(rates, HEAVY, 101.0)


@pytest.mark.parametrize(("retry_after_s", "until"), [(None, 130.0), (5.0, 105.0), (90.0, 190.0)])
def test_a_429_that_names_no_group_shuts_the_upstream_for_its_credential(
    retry_after_s: float | None, until: float
) -> None:
    rates = rates_of()
    shut = answer(rates, LIGHT, 429, retry_after_s=retry_after_s)
    assert shut == Shut(Reason.ACCOUNT, until)
    for key in (LIGHT, HEAVY, UNKNOWN):
        error = refusal_of(rates, key, 101.0)
        assert (error.reason, error.retry_at) == ("account", until)
        assert rates.room(key, 101.0) == 0
    rates.spend(MEDIA, 101.0)
    rates.spend(OTHER, 101.0)
    rates.spend(HEAVY, until)


def test_a_429_of_no_known_group_is_of_the_account_even_with_numbers() -> None:
    rates = rates_of()
    shut = answer(rates, UNKNOWN, 429, RateFields(limit=5))
    assert shut == Shut(Reason.ACCOUNT, 130.0)
    assert answer(rates, UNKNOWN, 200, now=130.0) is None
    assert "(group" not in str(rates_error(rates))


def rates_error(rates: Rates) -> RateShield:
    answer(rates, UNKNOWN, 429, now=200.0)
    return refusal_of(rates, UNKNOWN, 200.0)


def test_the_later_of_two_doors_counts() -> None:
    rates = rates_of()
    spent = [rates.spend(HEAVY, 100.0) for _ in range(3)]
    rates.learn(spent[0], 429, None, 10.0, 100.0)
    rates.learn(spent[1], 429, rate_fields("heavy", 0), None, 100.0)
    assert rates.refusal(HEAVY, 101.0) == Shut(Reason.PENALTY, 160.0)
    assert rates.learn(spent[2], 429, None, 90.0, 100.0) == Shut(Reason.ACCOUNT, 190.0)
    assert rates.refusal(HEAVY, 101.0) == Shut(Reason.ACCOUNT, 190.0)


def test_a_shorter_penalty_of_the_account_does_not_open_its_door() -> None:
    rates = rates_of()
    spent = [rates.spend(HEAVY, 100.0) for _ in range(2)]
    rates.learn(spent[0], 429, None, 90.0, 100.0)
    assert rates.learn(spent[1], 429, None, 10.0, 100.0) == Shut(Reason.ACCOUNT, 190.0)


def test_an_operation_is_charged_to_the_group_that_its_answer_named() -> None:
    rates = rates_of()
    permitted = permitted_of("GET", "/restapi/v1.0/account/~/extension/~/message-store")
    key = rates.key_of(permitted)
    assert key.group == "light"
    assert answer(rates, key, 429, rate_fields("Enormous", 0, 3)) == Shut(Reason.PENALTY, 160.0)
    assert rates.key_of(permitted).group == "enormous"
    refusal_of(rates, rates.key_of(permitted), 101.0)
    rates.spend(key, 101.0)


def test_what_was_spent_in_the_wrong_group_is_given_back_there() -> None:
    rates = rates_of()
    answer(rates, LIGHT, 200, rate_fields("light", 1))
    answer(rates, LIGHT, 200, rate_fields("heavy", 8), now=101.0)
    assert dict(rates.remaining(101.0)) == {"light": 1, "heavy": 8}


def test_an_unknown_path_is_charged_once_its_group_is_known() -> None:
    rates = rates_of()
    answer(rates, UNKNOWN, 200, rate_fields("novel", 0))
    refusal_of(rates, RateKey("platform", "ringcentral", "novel", ""), 101.0)
    rates.spend(UNKNOWN, 101.0)


def test_documented_windows_shut_their_family_after_a_429_only() -> None:
    rates = rates_of()
    spent = [rates.spend(VOICE, 100.0) for _ in range(20)]
    assert dict(rates.remaining(100.0)) == {"ringcx": 0}
    assert rates.learn(spent[0], 200, None, None, 100.0) is None
    shut = rates.learn(spent[1], 429, rate_fields("heavy", 0), None, 101.0)
    assert shut == Shut(Reason.WINDOW, 161.0)
    assert refusal_of(rates, VOICE, 160.0).reason == "window"
    assert rates.budget(VOICE) is None
    rates.release(spent[2], 161.0, sent=True)
    rates.spend(VOICE, 161.0)


def test_observing_learns_and_refuses_nothing() -> None:
    rates = rates_of(RateMode.OBSERVE)
    shut = answer(rates, HEAVY, 429, rate_fields("heavy", 0))
    assert shut == Shut(Reason.PENALTY, 160.0)
    rates.spend(HEAVY, 101.0)
    assert dict(rates.remaining(101.0)) == {"heavy": 0}


def test_switched_off_it_does_nothing() -> None:
    rates = rates_of(RateMode.OFF)
    assert answer(rates, HEAVY, 429, rate_fields("heavy", 0)) is None
    assert rates.spend(HEAVY, 101.0) == Spent(HEAVY, 0)
    rates.release(Spent(HEAVY, 0), 101.0, sent=True)
    assert dict(rates.remaining(101.0)) == {}


def test_what_a_shared_store_must_check_is_known_once_it_is_learned() -> None:
    rates = rates_of()
    assert rates.budget(HEAVY) is None
    answer(rates, HEAVY, 200, rate_fields("heavy", 9))
    assert rates.budget(HEAVY) == Budget("ringcentral/heavy", 10, 60.0)
    answer(rates, LIGHT, 200, RateFields(limit=5))
    assert rates.budget(LIGHT) is None


def test_a_shared_store_can_shut_a_door() -> None:
    rates = rates_of()
    rates.close(HEAVY, Shut(Reason.EXHAUSTED, 150.0))
    assert refusal_of(rates, HEAVY, 149.0).retry_at == 150.0
    rates.close(HEAVY, Shut(Reason.ACCOUNT, 170.0))
    rates.close(RateKey("x", "x", "", ""), Shut(Reason.EXHAUSTED, 170.0))
    assert refusal_of(rates, LIGHT, 160.0).reason == "account"
    assert refusal_of(rates, RateKey("x", "x", "", ""), 160.0).retry_at == 170.0


def test_a_shared_store_that_has_no_room_is_believed_for_a_while() -> None:
    rates = rates_of()
    for key in (HEAVY, VOICE, RateKey("x", "x", "", "")):
        rates.fill(key, 160.0, 100.0)
    assert refusal_of(rates, HEAVY, 100.9).retry_at == 160.0
    asking = rates.spend(HEAVY, 101.0)
    assert rates.spend_if_told(HEAVY, 101.0) is None
    assert refusal_of(rates, HEAVY, 101.9).retry_at == 160.0
    rates.fill(HEAVY, 101.9, 101.9)
    rates.spend(HEAVY, 101.9)
    rates.release(asking, 101.9, sent=False)
    # Where windows are documented, and where no group is known, nothing is asked for.
    rates.spend(VOICE, 100.0)
    rates.spend(RateKey("x", "x", "", ""), 100.0)


def test_room_is_what_the_window_allows_and_one_while_nothing_is_known() -> None:
    rates = rates_of(RateMode.QUEUE)
    assert rates.room(HEAVY, 100.0) == 1
    answer(rates, HEAVY, 429, rate_fields("heavy", 0))
    assert rates.room(HEAVY, 159.0) == 0
    assert rates.room(HEAVY, 160.0) == 10
    rates.spend(HEAVY, 160.0)
    assert rates.room(HEAVY, 160.0) == 9


def test_the_least_that_remains_for_any_credential_is_told() -> None:
    rates = rates_of()
    answer(rates, HEAVY, 200, rate_fields("heavy", 4))
    answer(rates, OTHER, 200, rate_fields("heavy", 2))
    rates.spend(LIGHT, 100.0)
    assert [*rates.remaining(101.0)] == [("heavy", 2)]


def test_made_up_tokens_leave_nothing_behind() -> None:
    rates = rates_of()
    spent = [rates.spend(RateKey("platform", f"x:{n}", "light", ""), 100.0) for n in range(5000)]
    for one in spent[::2]:
        rates.learn(one, 401, None, None, 100.0)
    for one in spent[1::2]:
        rates.release(one, 100.0, sent=True)
    assert len(rates) == 0


def test_a_bucket_that_was_forgotten_and_made_anew_does_not_mind_old_answers() -> None:
    rates = rates_of()
    old = rates.spend(HEAVY, 100.0)
    for n in range(5000):
        rates.spend(RateKey("platform", f"x:{n}", "light", ""), 100.0)
    assert len(rates) == 4096
    answer(rates, HEAVY, 200, rate_fields("heavy", 5))
    rates.release(old, 100.0, sent=True)
    assert dict(rates.remaining(100.0)) == {"heavy": 5}


def test_another_mode_has_the_same_buckets_and_doors() -> None:
    shielding = rates_of()
    answer(shielding, HEAVY, 429, rate_fields("heavy", 0), retry_after_s=60.0)
    off = shielding.in_mode(RateMode.OFF)
    off.spend(HEAVY, 100.5)
    refusal_of(off.in_mode(RateMode.QUEUE), HEAVY, 100.5)
    assert len(off) == len(shielding) == 1


def test_what_was_spent_under_one_mode_is_settled_under_it() -> None:
    shielding = rates_of()
    answer(shielding, HEAVY, 200, rate_fields("heavy", 1))
    spent = shielding.spend(HEAVY, 100.0)
    again = shielding.in_mode(RateMode.OFF).in_mode(RateMode.SHIELD)
    refusal_of(again, HEAVY, 100.0)
    shielding.release(spent, 100.0, sent=False)
    assert again.spend(HEAVY, 100.0).number > spent.number


def test_any_good_answer_ends_a_row_of_429s_in_documented_windows() -> None:
    key = RateKey("ringcx", "ringcx", "ringcx", "", (Window(10, 5.0), Window(120, 60.0)))
    rates, now = rates_of(), 0.0
    for _ in range(4):
        shut = answer(rates, key, 429, now=now)
        assert shut == Shut(Reason.WINDOW, now + 5.0)
        now += 6.0
        answer(rates, key, 200, rate_fields("light", 39), now=now)

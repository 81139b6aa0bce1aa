"""gateway/policy/rates.py: what goes the short way ends where the long one would.

Room that was told is spent without asking, and an answer that tells no more is soon learned.
"""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.rate_fields import RateFields
from gateway.policy.rate_groups import RateKey
from gateway.policy.rates import RateMode, Spent
from tests.policy.test_rates import HEAVY, LIGHT, MEDIA, OTHER, UNKNOWN, VOICE, answer, rates_of
from tests.policy.world import rate_fields


class Both:
    """Two gateways that see the same; one goes the short way wherever there is one."""

    def __init__(self, mode: RateMode) -> None:
        self.one, self.other = rates_of(mode), rates_of(mode)
        self.now = 100.0
        self._under_way: list[tuple[Spent, Spent]] = []

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def spend(self, key: RateKey) -> None:
        told = self.one.spend_if_told(key, self.now)
        mine = told or self.one.spend_or_tell(key, self.now)
        its = self.other.spend_or_tell(key, self.now)
        assert mine == its
        if isinstance(mine, Spent) and isinstance(its, Spent):
            self._under_way.append((mine, its))

    def learn(self, status: int, remaining: int | None, limit: int | None, order: int) -> None:
        if not self._under_way:
            return
        mine, its = self._under_way.pop(order)
        group = "light" if order else mine.key.group or "light"
        said = None if remaining == limit is None else RateFields(group, limit, remaining, 60.0)
        shut = None
        if not self.one.learn_room(mine, status, said, self.now):
            shut = self.one.learn(mine, status, said, None, self.now)
        assert shut == self.other.learn(its, status, said, None, self.now)

    def fill(self, key: RateKey, seconds: float) -> None:
        for rates in (self.one, self.other):
            rates.fill(key, self.now + seconds, self.now)

    def release(self, sent: bool) -> None:
        if self._under_way:
            mine, its = self._under_way.pop(0)
            self.one.release(mine, self.now, sent=sent)
            self.other.release(its, self.now, sent=sent)


KEYS = st.sampled_from([HEAVY, HEAVY, LIGHT, UNKNOWN, MEDIA, VOICE])
STATUSES = st.sampled_from([200, 200, 200, 429, 503])
# What remains may be more than the limit: a vendor may lower that, and answers are old news.
NUMBERS = st.sampled_from([None, 0, 1, 2, 3, 40])
STEPS = st.one_of(
    st.tuples(st.just(Both.spend), KEYS),
    st.tuples(st.just(Both.spend), KEYS),
    st.tuples(st.just(Both.learn), STATUSES, NUMBERS, NUMBERS, st.sampled_from([0, -1])),
    st.tuples(st.just(Both.release), st.booleans()),
    st.tuples(st.just(Both.fill), KEYS, st.sampled_from([0.0, 0.5, 40.0])),
    st.tuples(st.just(Both.wait), st.sampled_from([0.0, 1.0, 30.0, 61.0])),
)


@given(st.sampled_from(RateMode), st.lists(STEPS, max_size=40))
@settings(max_examples=500)
def test_who_goes_the_short_way_ends_where_the_long_one_leads(
    mode: RateMode, steps: list[tuple[Any, ...]]
) -> None:
    both = Both(mode)
    for step, *given_ in steps:
        step(both, *given_)
    assert dict(both.one.remaining(both.now)) == dict(both.other.remaining(both.now))


def test_room_that_an_answer_told_is_spent_without_asking() -> None:
    rates = rates_of()
    assert rates.spend_if_told(HEAVY, 100.0) is None
    answer(rates, HEAVY, 200, rate_fields("heavy", 2))
    told = [rates.spend_if_told(HEAVY, 100.0) for _ in range(3)]
    assert [spent is not None and spent.was_told for spent in told] == [True, True, False]
    assert rates.spend_if_told(HEAVY, 161.0) is None
    answer(rates, OTHER, 200, rate_fields("heavy", 2))
    assert rates.in_mode(RateMode.OFF).spend_if_told(OTHER, 100.0) is None
    answer(rates, OTHER, 429)
    assert rates.spend_if_told(OTHER, 101.0) is None


def test_an_answer_that_tells_only_what_remains_of_what_was_told_is_soon_learned() -> None:
    rates = rates_of()
    first = rates.spend(HEAVY, 100.0)
    assert not rates.learn_room(first, 200, rate_fields("heavy", 9), 100.0)
    rates.learn(first, 200, rate_fields("heavy", 9), None, 100.0)
    spent = [rates.spend_if_told(HEAVY, 100.0) for _ in range(6)]
    learned = [
        one is not None and rates.learn_room(one, status, told, 100.0)
        for one, status, told in zip(
            spent,
            (200, 429, 200, 200, 200, 404),
            (
                *(rate_fields("heavy", 8), rate_fields("heavy", 7), rate_fields("heavy", 0)),
                *(rate_fields("light", 7), None, rate_fields("heavy", 3)),
            ),
            strict=True,
        )
    ]
    assert learned == [True, False, False, False, False, True]


def test_a_limit_that_was_lowered_counts_from_the_next_window_on() -> None:
    rates = rates_of()
    answer(rates, HEAVY, 200, RateFields("heavy", 3, 39, 60.0))
    assert rates.spend_if_told(HEAVY, 159.0) is not None
    assert rates.spend_if_told(HEAVY, 160.0) is None
    spent = [rates.spend_or_tell(HEAVY, 160.0) for _ in range(3)]
    assert [isinstance(one, Spent) for one in spent] == [True, True, False]


def test_a_bucket_is_told_once_an_answer_has_a_limit() -> None:
    rates = rates_of()
    answer(rates, HEAVY, 200)
    assert not rates.is_told(HEAVY)
    rates.spend(HEAVY, 100.0)
    answer(rates, HEAVY, 200, rate_fields("heavy", 2))
    assert rates.is_told(HEAVY)
    assert not rates.is_told(OTHER)

import math

from gateway.credentials.failures import Outcome, TokenCallFailed
from gateway.credentials.means import Means
from gateway.credentials.setbacks import Setbacks
from tests.credentials.test_renewal import Counter


class Held:
    """Means with a setback since 100.0, and how often the store was to be looked at."""

    def __init__(self, outcome: Outcome) -> None:
        self.grant = Counter()
        self.means = Means(self.grant, Setbacks(10.0, 60.0), reissues=4, window_s=60.0)
        self.means.watch.note()
        self.looks = 0
        failure = TokenCallFailed(outcome, "no", retry_after_s=2.0)
        self.setback = self.means.setbacks.note(failure, 100.0)

    def look(self) -> None:
        self.looks += 1

    def asked(self, now: float, *, may_go_alone: bool = False) -> bool:
        """Tell whether the vendor may be asked."""
        found = self.means.hold_off(now, may_go_alone=may_go_alone, look=self.look)
        assert found in (None, self.setback)
        return found is None


def test_while_a_setback_holds_the_store_is_looked_at_once_a_second() -> None:
    held = Held(Outcome.THROTTLED)
    assert not any(held.asked(now) for now in (100.0, 100.1, 100.9))
    assert held.looks == 1
    assert not held.asked(101.0)
    assert held.looks == 2
    assert held.asked(102.0)
    assert held.looks == 2


def test_a_secret_that_changed_is_presented_whatever_was_before() -> None:
    held = Held(Outcome.REJECTED)
    assert math.isinf(held.setback.retry_at)
    assert not held.asked(1000.0)
    held.grant.seeds = "another"
    assert not held.asked(1000.5)
    assert held.asked(1001.0)
    assert (held.looks, held.means.setbacks.latest) == (1, None)


def test_a_store_is_not_waited_for_by_who_may_go_alone() -> None:
    assert Held(Outcome.STORE).asked(100.0, may_go_alone=True)
    assert not Held(Outcome.STORE).asked(100.0)
    assert not Held(Outcome.BUDGET).asked(100.0, may_go_alone=True)


def test_a_token_ends_every_setback() -> None:
    held = Held(Outcome.THROTTLED)
    assert not held.asked(100.0)
    held.means.forget()
    assert held.asked(100.1)
    held.setback = held.means.setbacks.note(TokenCallFailed(Outcome.ERROR, "no"), 100.2)
    assert not held.asked(100.3)
    assert held.looks == 2

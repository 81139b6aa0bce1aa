import pytest

from gateway.core.secret import Secret
from gateway.credentials.holding import Holding
from gateway.credentials.life import RENEW_AFTER, Life

HOUR = Holding(Secret(b"a"), 10_000.0, 13_600.0, "seed")


def begun(wall: float = 10_000.0, now: float = 50.0, *, slides: bool = False) -> Life:
    life = Life()
    life.begin(HOUR, wall, now, slides=slides)
    return life


def test_without_a_token_nothing_lives() -> None:
    life = Life()
    assert life.was_ended
    assert not life.lives(0.0)
    life.prolong(0.0)
    assert not life.lives(0.0)
    assert life.is_due(0.0)


@pytest.mark.parametrize("_", range(20))
def test_a_token_is_due_at_a_share_of_its_life_and_dies_a_moment_before_its_end(_: int) -> None:
    life = begun()
    least, most = (50.0 + 3600.0 * share for share in RENEW_AFTER)
    assert least <= life.renew_at <= most
    assert not life.is_due(least - 1)
    assert life.is_due(most)
    assert life.lives(50.0 + 3597.9)
    assert not life.lives(50.0 + 3598.0)


def test_what_has_passed_of_a_life_before_it_was_adopted_is_gone() -> None:
    life = begun(wall=13_000.0)
    assert life.dies_at == 50.0 + 598.0
    assert life.is_due(50.0 + 3600.0 * RENEW_AFTER[1] - 3000.0)


def test_by_a_clock_that_is_behind_nothing_lives_longer_than_its_life() -> None:
    life = begun(wall=9_000.0)
    assert life.dies_at == 50.0 + 3598.0
    assert life.is_due(50.0 + 3600.0 * RENEW_AFTER[1])


def test_the_store_is_told_every_ten_seconds_and_of_what_it_lacks_every_second() -> None:
    life = begun()
    assert life.next_at(50.0, is_saved=True) == 60.0
    assert life.next_at(50.0, is_saved=False) == 51.0
    last = life.renew_at - 0.5
    assert life.next_at(last, is_saved=True) == life.next_at(last, is_saved=False) == life.renew_at


def test_of_a_short_life_the_store_is_told_sooner() -> None:
    life = Life()
    life.begin(Holding(Secret(b"a"), 0.0, 10.0, "seed"), 0.0, 50.0, slides=True)
    assert life.next_at(50.0, is_saved=True) == 51.0
    assert life.next_at(50.0, is_saved=False) == 50.5


def test_a_refused_token_is_dead_at_once() -> None:
    life = begun()
    life.end()
    assert life.was_ended
    assert not life.lives(51.0)
    assert life.is_due(51.0)


def test_use_gives_a_sliding_token_its_whole_life_again_and_a_look_does_not() -> None:
    life = begun(slides=True)
    assert life.lives(3000.0)
    assert life.dies_at == 50.0 + 3598.0
    life.prolong(3000.0)
    assert life.dies_at == 6600.0
    assert life.ends_at(HOUR, 13_000.0, 3050.0) == 13_000.0 + 3550.0
    assert not life.is_due(6599.0)
    assert not life.lives(6600.0)
    life.end()
    life.prolong(3000.0)
    assert life.was_ended


def test_a_life_that_use_made_longer_is_handed_on_with_its_length() -> None:
    life = begun(slides=True)
    assert life.longer(HOUR, 10_000.0, 50.0) is None
    life.prolong(450.0)
    longer = life.longer(HOUR, 10_500.0, 550.0, least=0.1)
    assert longer is not None
    assert (longer.obtained_at, longer.expires_at) == (10_400.0, 14_000.0)
    assert longer.access == HOUR.access
    assert life.longer(HOUR, 10_500.0, 550.0, least=0.2) is None
    life.end()
    assert life.longer(HOUR, 10_500.0, 550.0) is None


def test_a_token_that_does_not_slide_ends_when_it_was_said_to() -> None:
    life = begun()
    life.prolong(3000.0)
    assert life.ends_at(HOUR, 13_000.0, 3050.0) == 13_600.0

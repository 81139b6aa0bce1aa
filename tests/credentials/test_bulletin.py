from gateway.core.secret import Secret
from gateway.credentials.bulletin import Bulletin
from gateway.credentials.failures import Outcome
from gateway.credentials.holding import Holding
from gateway.credentials.renewal import NOTHING, Held
from gateway.credentials.setbacks import Setback
from tests.credentials.desk import Told

DENIED = Setback(Outcome.BUDGET, "too often", 160.0)
HELD = Held(7, Holding(Secret(b"a"), 0.0, 5000.0, "seed"))


def bulletin() -> tuple[Bulletin, Told]:
    told = Told()
    return Bulletin("ours", "jwt", told, lambda: 1000.0), told


def test_before_the_first_attempt_nothing_is_known() -> None:
    status = bulletin()[0].status(NOTHING, None, None, 100.0)
    assert (status.grant, status.generation, status.outcome) == ("jwt", 0, "none")
    assert (status.outcome_at, status.retry_at, status.reason) == (None, None, "")


def test_the_latest_end_and_the_setback_are_kept() -> None:
    news, told = bulletin()
    news.finished("error", "500")
    status = news.status(HELD, 5000.0, Setback(Outcome.ERROR, "500", 110.0), 100.0)
    assert (status.generation, status.expires_at, status.outcome_at) == (7, 5000.0, 1000.0)
    assert (status.outcome, status.reason, status.retry_at) == ("error", "500", 1010.0)
    assert told.refreshes == [("error", "500")]


def test_what_is_denied_is_told_once_and_shown_while_it_holds() -> None:
    news, told = bulletin()
    news.finished("obtained")
    for now in (100.0, 101.0, 159.0):
        news.denied(DENIED, now)
    assert told.refreshes == [("obtained", ""), ("budget", "too often")]
    status = news.status(HELD, 5000.0, None, 100.0)
    assert (status.outcome, status.reason, status.retry_at) == ("budget", "too often", 1060.0)
    assert news.status(HELD, 5000.0, None, 160.0).reason == ""
    news.denied(Setback(Outcome.BUDGET, "again", 220.0), 160.0)
    assert told.refreshes[2:] == [("budget", "again")]


def test_another_token_ends_a_denial() -> None:
    news, told = bulletin()
    news.denied(DENIED, 100.0)
    news.token_changed(8)
    assert news.status(HELD, 5000.0, None, 101.0).reason == ""
    assert told.changes == [("ours", 8)]


def test_a_store_that_failed_is_told() -> None:
    news, told = bulletin()
    news.store_failed("away")
    assert told.stores == ["away"]

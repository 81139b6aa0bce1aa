from gateway.credentials.failures import Outcome
from gateway.credentials.reissues import Reissues


def test_so_many_renewals_of_a_window_are_allowed_and_no_more() -> None:
    reissues = Reissues(3, 60.0)
    assert [reissues.spend(100.0 + second) for second in range(3)] == [None] * 3
    denied = reissues.spend(110.0)
    assert denied is not None
    assert (denied.outcome, denied.retry_at) == (Outcome.BUDGET, 160.0)
    assert denied.reason == "a refused token is not renewed more than 3 times within 60 s"
    assert reissues.spend(160.0) is None
    assert reissues.spend(160.5) is not None


def test_a_place_that_refuses_a_fresh_token_is_unjust_for_a_window() -> None:
    reissues = Reissues(4, 60.0)
    assert not reissues.is_unjust(b"/odd", 100.0)
    reissues.acquit(b"/odd", 100.0)
    assert reissues.is_unjust(b"/odd", 159.9)
    assert not reissues.is_unjust(b"/other", 101.0)
    assert not reissues.is_unjust(b"/odd", 160.0)


def test_beside_an_unjust_place_one_more_token_is_given_up() -> None:
    reissues = Reissues(4, 60.0)
    assert reissues.spend(100.0) is None
    reissues.acquit(b"/odd", 100.5)
    assert reissues.spend(101.0) is None
    denied = reissues.spend(102.0)
    assert denied is not None
    assert denied.retry_at == 160.0
    assert "more than 2 times" in denied.reason
    assert reissues.spend(160.5) is None


def test_one_renewal_a_window_is_not_made_two_by_an_unjust_place() -> None:
    reissues = Reissues(1, 60.0)
    assert reissues.spend(100.0) is None
    reissues.acquit(b"/odd", 100.5)
    assert reissues.spend(101.0) is not None


def test_of_many_unjust_places_the_latest_are_remembered() -> None:
    reissues = Reissues(4, 60.0)
    for number in range(100):
        reissues.acquit(b"/%d" % number, 100.0)
    reissues.acquit(b"/70", 100.0)
    assert sum(reissues.is_unjust(b"/%d" % number, 100.0) for number in range(100)) == 32
    assert reissues.is_unjust(b"/70", 100.0)

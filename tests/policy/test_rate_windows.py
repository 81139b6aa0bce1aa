"""gateway/policy/rate_windows.py."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.rate_buckets import Reason, Shut
from gateway.policy.rate_windows import FAMILIES, Tally, Window, find_family
from tests.policy.world import vectors_of

LEADS = (Window(3, 10.0), Window(5, 60.0))


def tally_of(*sent: float) -> Tally:
    tally = Tally(LEADS)
    for now in sent:
        tally.spend(now)
    return tally


@pytest.mark.parametrize("case", vectors_of("policy_windows"), ids=lambda case: case["path"])
def test_a_path_has_the_windows_of_its_family(case: Mapping[str, Any]) -> None:
    for upstream in case["upstreams"]:
        found = find_family(upstream, case["path"].lower().encode())
        if "family" not in case:
            assert found is None
            continue
        assert found is not None
        family, scope = found
        assert (family.name, scope) == (case["family"], case.get("scope", ""))
        windows = [[window.limit, window.window_s] for window in family.windows]
        assert windows == case["windows"]


def test_every_service_has_a_family_for_every_path_and_its_names_are_labels() -> None:
    for families in FAMILIES.values():
        assert families[-1].paths.fullmatch(b"/any/thing")
        assert all(family.name.replace("-", "").isalpha() for family in families)


def test_a_count_refuses_nothing_before_a_429() -> None:
    tally = tally_of(*[100.0] * 20)
    assert tally.refusal(100.0) is None
    assert (tally.room(100.0), tally.remaining(100.0)) == (1, 0)
    assert tally.judge(200, None, None, 100.0) is None
    assert (tally.limit, tally.window_s, tally.is_blank) == (None, None, False)


def test_what_remains_is_the_least_of_the_windows() -> None:
    tally = tally_of(100.0, 101.0)
    assert tally.remaining(101.0) == tally.room(101.0) == 1
    # Of the short window both have left, of the long one neither.
    assert tally.remaining(111.0) == 3
    tally.forget()
    tally.note(2, 2, None, 111.0)
    assert tally.remaining(111.0) == 3


def test_a_429_shuts_until_the_full_windows_have_room() -> None:
    # The fifth of 60 s and the third of 10 s; the first leaves at 160.
    tally = tally_of(100.0, 101.0, 102.0, 103.0, 104.0)
    assert tally.judge(429, None, None, 105.0) == Shut(Reason.WINDOW, 160.0)
    assert tally.room(159.0) == tally.remaining(159.0) == 0
    assert tally.refusal(160.0) is None
    assert tally.room(160.0) == 1


def test_a_429_shuts_for_the_shortest_window_when_others_filled_them() -> None:
    assert tally_of(100.0).judge(429, None, None, 100.0) == Shut(Reason.WINDOW, 110.0)
    assert tally_of(100.0).judge(429, None, 45.5, 100.0) == Shut(Reason.WINDOW, 145.5)


def test_a_repeated_429_doubles_the_wait_up_to_the_longest_window() -> None:
    tally, now, waits = tally_of(), 100.0, []
    for _ in range(15):
        shut = tally.judge(429, None, None, now)
        assert shut is not None
        waits.append(shut.until - now)
        now = shut.until
    assert waits == [10.0, 20.0, 40.0, *[60.0] * 12]
    assert tally.judge(200, None, None, now) is None
    assert tally.judge(429, None, None, now) == Shut(Reason.WINDOW, now + 10.0)


def test_a_door_that_is_shut_for_longer_stays_so() -> None:
    tally = tally_of()
    tally.close(Reason.WINDOW, 500.0)
    assert tally.judge(429, None, None, 100.0) == Shut(Reason.WINDOW, 500.0)


@given(st.lists(st.floats(0, 100), max_size=12), st.floats(0, 20))
def test_after_a_429_every_window_has_room(times: list[float], wait_s: float) -> None:
    sent = sorted(times)
    tally = tally_of(*sent)
    now = max([*sent, 0.0]) + wait_s
    shut = tally.judge(429, None, None, now)
    assert shut is not None
    assert tally.refusal(shut.until - 0.001) == shut
    assert tally.refusal(shut.until) is None
    for window in LEADS:
        recent = [at for at in sent if at + window.window_s > shut.until]
        assert len(recent) < window.limit


@given(st.binary(max_size=60), st.sampled_from(["ringcx", "engage_legacy", "engage_digital"]))
def test_any_path_has_a_family(path: bytes, upstream: str) -> None:
    assert find_family(upstream, path) is not None


@given(st.binary(max_size=60))
def test_a_scope_is_printable(account: bytes) -> None:
    path = b"/voice/api/cx/integration/v1/accounts/9/sub-accounts/%b/agg-agent-stats" % account
    found = find_family("ringcx", path)
    assert found is not None
    assert found[1].isascii()
    assert not found[1] or found[1].isprintable()

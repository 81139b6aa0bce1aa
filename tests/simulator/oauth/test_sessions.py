import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulator.faults import Fault
from gateway.simulator.oauth.sessions import MAX_SESSIONS, Session, Sessions, is_shaped
from gateway.simulator.pace import Pace

HOUR, WEEK = 3600.0, 604800.0


def _begin(sessions: Sessions, endpoint: str = "", now: float = 0.0, app: str = "a") -> Session:
    return sessions.begin(app, endpoint, HOUR, WEEK, now)


def _code(sessions: Sessions, access: str, now: float = 0.0) -> str:
    try:
        sessions.check(access, now)
    except Fault as fault:
        return fault.inner_code
    return "good"


def _refresh_code(sessions: Sessions, token: str, now: float = 0.0, app: str = "a") -> str:
    try:
        sessions.refresh(app, token, now)
    except Fault as fault:
        return f"{fault.status} {fault.code}"
    return "good"


@pytest.fixture
def sessions() -> Sessions:
    return Sessions("static", Pace())


def test_an_access_token_lives_for_its_time(sessions: Sessions) -> None:
    access = _begin(sessions).current.access
    assert _code(sessions, access, HOUR - 1) == "good"
    assert _code(sessions, access, HOUR) == "OAU-128"


def test_a_pace_shortens_both_lives() -> None:
    sessions = Sessions("static", Pace(600))
    pair = _begin(sessions).current
    assert _code(sessions, pair.access, 5.9) == "good"
    assert _code(sessions, pair.access, 6.0) == "OAU-128"
    assert _refresh_code(sessions, pair.refresh, 1008) == "400 OAU-210"


def test_the_static_token_is_no_session_and_never_over(sessions: Sessions) -> None:
    sessions.expire()
    sessions.end_all()
    assert _code(sessions, "static", 1e12) == "good"
    assert sessions.count(0) == 0


def test_what_is_no_token_and_what_is_gone_are_told_apart(sessions: Sessions) -> None:
    session = _begin(sessions)
    sessions.end("a", session.current.access)
    assert _code(sessions, session.current.access) == "OAU-213"
    assert _code(sessions, "x") == "OAU-149"
    assert _code(sessions, "") == "OAU-149"


def test_a_refresh_kills_the_old_access_token_at_once(sessions: Sessions) -> None:
    session = _begin(sessions)
    old = session.current
    sessions.refresh("a", old.refresh, 1)
    assert session.current.access != old.access
    assert [_code(sessions, old.access, 1) for _ in range(3)] == ["OAU-129", "OAU-213", "OAU-213"]
    assert _code(sessions, session.current.access, 1) == "good"
    assert sessions.made == 1


def test_a_refresh_token_gives_the_same_pair_for_an_hour_while_it_is_not_used(
    sessions: Sessions,
) -> None:
    session = _begin(sessions)
    old = session.current.refresh
    fresh = sessions.refresh("a", old, 100).current
    assert sessions.refresh("a", old, 100 + HOUR - 1).current is fresh
    assert _refresh_code(sessions, old, 100 + HOUR) == "400 OAU-210"
    assert _refresh_code(sessions, fresh.refresh, 100 + HOUR) == "good"


def test_a_refresh_token_gives_the_same_pair_for_ten_seconds_after_its_first_use(
    sessions: Sessions,
) -> None:
    session = _begin(sessions)
    old = session.current.refresh
    fresh = sessions.refresh("a", old, 100).current
    sessions.check(fresh.access, 200)
    sessions.check(fresh.access, 209)
    assert sessions.refresh("a", old, 209).current is fresh
    assert _refresh_code(sessions, old, 210) == "400 OAU-210"


def test_the_windows_are_shortened_too() -> None:
    sessions = Sessions("static", Pace(10))
    old = _begin(sessions).current.refresh
    fresh = sessions.refresh("a", old, 0).current
    assert _refresh_code(sessions, old, 359.9) == "good"
    sessions.check(fresh.access, 300)
    assert _refresh_code(sessions, old, 300.9) == "good"
    assert _refresh_code(sessions, old, 301) == "400 OAU-210"


def test_only_the_latest_refresh_token_has_a_window(sessions: Sessions) -> None:
    session = _begin(sessions)
    first = session.current.refresh
    second = sessions.refresh("a", first, 1).current.refresh
    sessions.refresh("a", second, 2)
    assert _refresh_code(sessions, first, 3) == "400 OAU-210"
    assert _refresh_code(sessions, second, 3) == "good"


def test_a_refresh_token_belongs_to_its_application(sessions: Sessions) -> None:
    token = _begin(sessions).current.refresh
    assert _refresh_code(sessions, token, app="b") == "400 OAU-210"


def test_a_session_may_come_without_a_refresh_token(sessions: Sessions) -> None:
    session = sessions.begin("a", "e", HOUR, 0, 0)
    assert session.current.refresh == ""
    assert _refresh_code(sessions, "") == "400 OAU-210"
    assert session.is_alive(HOUR - 1)
    assert not session.is_alive(HOUR)


def test_the_sixth_session_ends_the_oldest_of_its_application(sessions: Sessions) -> None:
    other = _begin(sessions, app="b")
    begun = [_begin(sessions, str(number)) for number in range(MAX_SESSIONS + 1)]
    codes = [_code(sessions, session.current.access) for session in begun]
    assert codes == ["OAU-213", *["good"] * MAX_SESSIONS]
    assert _refresh_code(sessions, begun[0].current.refresh) == "400 OAU-210"
    assert _code(sessions, other.current.access) == "good"
    assert (sessions.made, sessions.count(0)) == (7, 6)


def test_a_session_that_is_over_makes_room(sessions: Sessions) -> None:
    for number in range(MAX_SESSIONS):
        _begin(sessions, str(number))
    assert sessions.count(WEEK) == 0
    late = [_begin(sessions, f"late {number}", WEEK) for number in range(MAX_SESSIONS)]
    assert {_code(sessions, session.current.access, WEEK) for session in late} == {"good"}


def test_a_login_with_the_same_endpoint_replaces_its_session(sessions: Sessions) -> None:
    first, other = _begin(sessions, "e"), _begin(sessions, "e", app="b")
    second = _begin(sessions, "e")
    assert _code(sessions, first.current.access) == "OAU-213"
    assert _code(sessions, other.current.access) == "good"
    assert _code(sessions, second.current.access) == "good"


def test_without_an_endpoint_each_login_is_a_session_of_its_own(sessions: Sessions) -> None:
    first, second = _begin(sessions), _begin(sessions)
    assert first.endpoint_id != second.endpoint_id
    assert first.id != second.id
    assert _code(sessions, first.current.access) == "good"


@pytest.mark.parametrize("name", ["access", "refresh"])
def test_ending_by_either_token_ends_the_whole_session(sessions: Sessions, name: str) -> None:
    session, other = _begin(sessions), _begin(sessions)
    sessions.end("b", getattr(session.current, name))
    assert _code(sessions, session.current.access) == "good"
    sessions.end("a", getattr(session.current, name))
    assert _code(sessions, session.current.access) == "OAU-213"
    assert _refresh_code(sessions, session.current.refresh) == "400 OAU-210"
    assert _code(sessions, other.current.access) == "good"


def test_expiring_leaves_the_refresh_tokens(sessions: Sessions) -> None:
    session = _begin(sessions)
    sessions.expire()
    assert _code(sessions, session.current.access) == "OAU-128"
    assert _refresh_code(sessions, session.current.refresh) == "good"


def test_a_shape_is_known() -> None:
    assert is_shaped(_begin(Sessions("t", Pace())).current.access)
    assert not is_shaped("static")


STEPS = st.lists(
    st.tuples(st.sampled_from(["login", "refresh", "replay", "use"]), st.integers(0, 4000)),
    max_size=40,
)


@given(STEPS, st.data())
def test_whatever_is_done_a_session_has_one_good_token_and_an_application_five_sessions(
    steps: list[tuple[str, int]], data: st.DataObject
) -> None:
    sessions, now = Sessions("static", Pace()), 0.0
    given_pairs: dict[str, list[tuple[str, str]]] = {}

    def keep(session: Session) -> None:
        pair = (session.current.access, session.current.refresh)
        if pair not in given_pairs.setdefault(session.id, []):
            given_pairs[session.id].append(pair)

    for step, passed_s in steps:
        now += passed_s
        pairs = data.draw(st.sampled_from(sorted(given_pairs.values()))) if given_pairs else []
        if step == "login" or not pairs:
            keep(_begin(sessions, data.draw(st.sampled_from("abcdefg")), now))
        elif step == "use":
            _code(sessions, pairs[-1][0], now)
        else:
            _, token = pairs[
                -1 if step == "refresh" else data.draw(st.integers(-2, -1)) % len(pairs)
            ]
            if _refresh_code(sessions, token, now) == "good":
                keep(sessions.refresh("a", token, now))
        good = [
            [_code(sessions, access, now) == "good" for access, _ in pairs]
            for pairs in given_pairs.values()
        ]
        assert not any(any(codes[:-1]) for codes in good)
        assert sum(any(codes) for codes in good) <= sessions.count(now) <= MAX_SESSIONS
    assert sessions.made == len(given_pairs)

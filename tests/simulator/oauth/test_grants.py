import pytest

from gateway.simulator.faults import Fault
from gateway.simulator.oauth.apps import JWT
from gateway.simulator.oauth.codes import Codes, Request
from gateway.simulator.oauth.grants import JWT_BEARER, Grants, render_tokens
from gateway.simulator.oauth.sessions import Session, Sessions
from gateway.simulator.pace import Pace

LOGIN = {"grant_type": JWT_BEARER, "assertion": JWT}


def _carry_out(form: dict[str, str], pace: Pace | None = None) -> Session:
    pace = pace or Pace()
    return Grants(Sessions("t", pace), Codes(pace)).carry_out("a", form, 0.0)


def test_the_answer_is_the_vendors() -> None:
    session = _carry_out({**LOGIN, "endpoint_id": "e"})
    document = render_tokens(session, Pace(), 0.0)
    assert document == {
        "access_token": session.current.access,
        "token_type": "bearer",
        "expires_in": 3600,
        "refresh_token": session.current.refresh,
        "refresh_token_expires_in": 604800,
        "scope": document["scope"],
        "owner_id": "230919005",
        "endpoint_id": "e",
        "session_id": session.id,
    }


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("access_token_ttl", "600", "expires_in"),
        ("access_token_ttl", "3600", "expires_in"),
        ("refresh_token_ttl", "2592000", "refresh_token_expires_in"),
    ],
)
def test_a_time_to_live_is_granted_and_shortened(name: str, value: str, shown: str) -> None:
    session = _carry_out({**LOGIN, name: value}, Pace(600))
    assert render_tokens(session, Pace(600), 0.0)[shown] == int(value) // 600


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("access_token_ttl", "599"),
        ("access_token_ttl", "3601"),
        ("access_token_ttl", "x"),
        ("access_token_ttl", "\u0661\u0660\u0660\u0660"),
        ("refresh_token_ttl", "2592001"),
        ("refresh_token_ttl", "-1"),
    ],
)
def test_a_time_to_live_outside_its_bounds_is_refused(name: str, value: str) -> None:
    with pytest.raises(Fault, match=f"400 CMN-101 .*{name}"):
        _carry_out({**LOGIN, name: value})


def test_no_refresh_token_is_made_for_a_time_to_live_of_nought() -> None:
    session = _carry_out({**LOGIN, "refresh_token_ttl": "0"})
    assert (
        not {"refresh_token", "refresh_token_expires_in"} & render_tokens(session, Pace(), 0).keys()
    )


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, "OAU-250"),
        ({"grant_type": "password"}, "OAU-250"),
        ({"grant_type": JWT_BEARER}, "OAU-210"),
        ({**LOGIN, "assertion": "x"}, "OAU-210"),
        ({"grant_type": "refresh_token"}, "OAU-210"),
        ({"grant_type": "authorization_code", "code": "x"}, "OAU-210"),
    ],
)
def test_a_grant_that_is_none_is_refused(form: dict[str, str], code: str) -> None:
    with pytest.raises(Fault, match=f"400 {code}"):
        _carry_out(form)


def test_a_code_begins_a_session() -> None:
    sessions, codes = Sessions("t", Pace()), Codes(Pace())
    code = codes.make(Request("a", "http://h/", "", "v"), 0.0)
    form = {"code": code, "redirect_uri": "http://h/", "code_verifier": "v"}
    grants = Grants(sessions, codes)
    session = grants.carry_out("a", {"grant_type": "authorization_code", **form}, 0.0)
    sessions.check(session.current.access, 0.0)
    refresh = {"grant_type": "refresh_token", "refresh_token": session.current.refresh}
    assert grants.carry_out("a", refresh, 0.0) is session

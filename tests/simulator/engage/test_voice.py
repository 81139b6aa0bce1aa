import json
from typing import Any

import pytest

from gateway.simulator.engage.voice import ACCOUNT_ID, USER_ID, Voice
from gateway.simulator.faults import Fault

ROLE = ("users", USER_ID, "roles", "ADMIN")


def _ask(voice: Voice, method: str, *path: str) -> Any:
    return json.loads(voice.answer(method, path).body)


def test_lists_are_bare_arrays() -> None:
    voice = Voice()
    assert _ask(voice, "GET", "accounts")[0]["accountId"] == ACCOUNT_ID
    assert [user["userId"] for user in _ask(voice, "GET", "users")] == [1790, 1791]
    assert _ask(voice, "HEAD", "users", "1791")["userName"].startswith("local+")


def test_post_grants_a_role_and_delete_takes_it() -> None:
    voice = Voice()
    granted = _ask(voice, "POST", *ROLE)
    assert [role["roleType"] for role in granted] == ["ADMIN", "AGENT"]
    assert _ask(voice, "GET", "users", USER_ID, "roles") == granted
    left = _ask(voice, "DELETE", *ROLE)
    assert _ask(voice, "DELETE", *ROLE) == left == [{"userId": 1790, "roleType": "AGENT"}]


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", ("nothing",), "404"),
        ("GET", ("users", "1"), "404"),
        ("GET", ("users", "1", "roles"), "404"),
        ("POST", ("users", USER_ID, "roles", "KING"), "404"),
        ("POST", ("users",), "405"),
        ("GET", ROLE, "405"),
    ],
)
def test_what_is_not_served_is_refused(method: str, path: tuple[str, ...], code: str) -> None:
    with pytest.raises(Fault, match=code):
        Voice().answer(method, path)

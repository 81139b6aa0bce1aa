import pytest

from gateway.simulator.faults import Fault
from gateway.simulator.oauth.apps import CLIENT_ID, PUBLIC_CLIENT_ID
from gateway.simulator.oauth.codes import Request
from gateway.simulator.oauth.page import read_request, render_page, render_redirect

GOOD = {
    "response_type": "code",
    "client_id": CLIENT_ID,
    "redirect_uri": "https://app.example/back?a=b",
}


def test_a_request_is_read_with_its_challenge() -> None:
    more = {"state": "s", "code_challenge": "c", "code_challenge_method": "S256"}
    assert read_request({**GOOD, **more}) == Request(
        CLIENT_ID, GOOD["redirect_uri"], "s", "c", "S256"
    )
    assert read_request(GOOD) == Request(CLIENT_ID, GOOD["redirect_uri"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"client_id": "x"}, "OAU-146"),
        ({"response_type": "token"}, "response_type"),
        ({"client_id": PUBLIC_CLIENT_ID}, "code_challenge"),
        ({"code_challenge": "c", "code_challenge_method": "S1"}, "code_challenge_method"),
        ({"redirect_uri": ""}, "redirect_uri"),
        ({"redirect_uri": "/back"}, "redirect_uri"),
        ({"redirect_uri": "javascript:alert(1)"}, "redirect_uri"),
        ({"redirect_uri": "http:///x"}, "redirect_uri"),
        ({"redirect_uri": "http://[x"}, "redirect_uri"),
        ({"redirect_uri": "http://h/\r\nSet-Cookie: a"}, "redirect_uri"),
        ({"redirect_uri": "http://h/#a"}, "redirect_uri"),
    ],
)
def test_what_cannot_be_used_is_no_redirect(change: dict[str, str], code: str) -> None:
    with pytest.raises(Fault, match=code):
        read_request({**GOOD, **change})


def test_the_page_is_a_form() -> None:
    answer = render_page(Request("<a>", "http://h/"))
    assert dict(answer.headers)["Content-Type"].startswith("text/html")
    assert b'<form method="post">' in answer.body
    assert b"&lt;a&gt;" in answer.body


@pytest.mark.parametrize(
    ("uri", "state", "location"),
    [
        ("http://h/b", "", "http://h/b?code=C"),
        ("http://h/b?a=b", "x y&z", "http://h/b?a=b&code=C&state=x%20y%26z"),
    ],
)
def test_the_code_and_the_state_go_back(uri: str, state: str, location: str) -> None:
    answer = render_redirect(Request("a", uri, state), "C")
    assert (answer.status, dict(answer.headers)["Location"]) == (302, location)

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulator.faults import Fault
from gateway.simulator.oauth.codes import CODE_TTL_S, Codes, Request
from gateway.simulator.pace import Pace

URI = "http://127.0.0.1/back"


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@given(st.text("abcXYZ019-._~", min_size=43, max_size=128))
def test_a_verifier_that_fits_its_s256_challenge_opens(verifier: str) -> None:
    codes = Codes(Pace())
    code = codes.make(Request("a", URI, "", _challenge(verifier), "S256"), 0)
    codes.use(code, "a", URI, verifier, 0)


@pytest.mark.parametrize(
    ("request_", "app", "uri", "verifier", "at"),
    [
        (Request("a", URI), "b", URI, "", 0),
        (Request("a", URI), "a", URI + "/", "", 0),
        (Request("a", URI), "a", URI, "x", 0),
        (Request("a", URI, "", "x"), "a", URI, "", 0),
        (Request("a", URI, "", "x"), "a", URI, "y", 0),
        (Request("a", URI, "", _challenge("x"), "S256"), "a", URI, _challenge("x"), 0),
        (Request("a", URI, "", _challenge("x"), "S256"), "a", URI, "", 0),
        (Request("a", URI, "", _challenge("x"), "S256"), "a", URI, "\udcff", 0),
        (Request("a", URI), "a", URI, "", CODE_TTL_S),
    ],
)
def test_what_does_not_fit_is_refused_and_uses_the_code_up(
    request_: Request, app: str, uri: str, verifier: str, at: float
) -> None:
    codes = Codes(Pace())
    code = codes.make(request_, 0)
    for _ in range(2):
        with pytest.raises(Fault, match="400 OAU-210"):
            codes.use(code, app, uri, verifier, at)


def test_a_code_works_once() -> None:
    codes = Codes(Pace(60))
    code = codes.make(Request("a", URI, "", "plain-verifier"), 0)
    codes.use(code, "a", URI, "plain-verifier", 0.9)
    with pytest.raises(Fault, match="invalid or expired"):
        codes.use(code, "a", URI, "plain-verifier", 0.9)


def test_codes_that_are_over_are_forgotten() -> None:
    codes = Codes(Pace())
    first, second = codes.make(Request("a", URI), 0), codes.make(Request("a", URI), CODE_TTL_S)
    assert first != second
    codes.use(second, "a", URI, "", CODE_TTL_S)

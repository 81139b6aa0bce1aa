"""gateway/engine/credential_line.py: how a token is presented, and its line."""

import pytest

from gateway.core.secret import Secret
from gateway.credentials.tokens import Token
from gateway.engine.credential_line import CredentialLine, credential_fields
from gateway.policy.routes import Scheme

MINE = Token(Secret(b"mine"), 1)


@pytest.mark.parametrize(
    ("scheme", "token", "name", "value"),
    [
        (Scheme.BEARER, MINE, b"Authorization", b"Bearer mine"),
        (Scheme.X_AUTH_TOKEN, MINE, b"X-Auth-Token", b"mine"),
        (Scheme.COOKIE, MINE, b"Cookie", b"access_token=mine"),
    ],
)
def test_a_token_is_presented_as_its_upstream_wants_it(
    scheme: Scheme, token: Token, name: bytes, value: bytes
) -> None:
    fields = credential_fields(scheme, token)
    assert fields == ((name, Secret(value)),)
    assert b"mine" not in repr(fields).encode()


@pytest.mark.parametrize("scheme", [Scheme.PASSTHROUGH, Scheme.NONE])
def test_without_a_token_nothing_is_presented(scheme: Scheme) -> None:
    assert credential_fields(scheme, None) == ()


def test_the_line_is_that_of_the_token_that_is_given() -> None:
    line = CredentialLine()
    other = Token(Secret(b"other"), 2)
    assert line.render(Scheme.BEARER, None) == b""
    for _ in range(2):
        assert line.render(Scheme.BEARER, MINE) == b"Authorization: Bearer mine\r\n"
        assert line.render(Scheme.BEARER, other) == b"Authorization: Bearer other\r\n"
        assert line.render(Scheme.X_AUTH_TOKEN, other) == b"X-Auth-Token: other\r\n"
        assert line.render(Scheme.BEARER, None) == b""

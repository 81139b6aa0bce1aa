import pytest

from gateway.core.secret import MASK, Secret
from gateway.credentials.tokens import Token


def test_a_token_shows_its_generation_and_not_its_value() -> None:
    token = Token(Secret(b"hidden"), 3, "seed")
    assert repr(token) == f"Token(value=Secret({MASK!r}), generation=3)"


def test_tokens_of_one_generation_and_value_are_the_same() -> None:
    assert Token(Secret(b"a"), 1) == Token(Secret(b"a"), 1)
    assert Token(Secret(b"a"), 1) != Token(Secret(b"a"), 2)
    assert Token(Secret(b"a"), 1) != Token(Secret(b"b"), 1)


def test_a_token_does_not_change() -> None:
    token = Token(Secret(b"a"), 1)
    with pytest.raises(AttributeError):
        token.generation = 2  # type: ignore[misc]  # what the type checker refuses too

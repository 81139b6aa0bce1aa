"""gateway/engine/way.py."""

from gateway.core.secret import Secret
from gateway.credentials.tokens import Token
from gateway.engine.way import Begun


def test_nothing_has_begun_unless_it_is_told() -> None:
    begun = Begun()
    assert (begun.spent, begun.token, begun.upstream) == (None, None, None)


def test_what_has_begun_shows_no_secret() -> None:
    assert "s3cr3t" not in repr(Begun(token=Token(Secret(b"s3cr3t"), 1)))

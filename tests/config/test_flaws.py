"""Names: what the model knows, and which of it a wrong name was meant to be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.flaws import explain_unknown, names_at


def test_names_are_those_of_the_model() -> None:
    assert names_at(["log"]) == ("level", "format", "requests")
    assert names_at(["credentials", "any"])[:2] == ("grant", "token")
    assert "routes" in names_at(["upstreams", "platform"])
    assert "listener" in names_at([])


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("log", "levle"), "unknown key; did you mean log.level?"),
        (("log", "max-in-flight"), "unknown key; [log] has level, format, requests"),
        (("log", "hosts"), "unknown key; did you mean listener.hosts?"),
        (("log", "token"), "unknown key; did you mean credentials.NAME.token?"),
        (("log", "x" * 10000), "unknown key; [log] has level, format, requests"),
    ],
)
def test_the_nearest_name_is_told_else_all_of_them(path: tuple[str, ...], text: str) -> None:
    assert explain_unknown(path, names_at(["log"])) == text


@given(st.text())
def test_every_name_gets_an_explanation(name: str) -> None:
    assert explain_unknown(("log", name), names_at(["log"])).startswith("unknown key; ")

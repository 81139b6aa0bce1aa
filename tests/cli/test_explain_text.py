"""How an explanation looks; whole outputs are in tests/vectors/explain.toml."""

from gateway.cli.explain_stages import Step
from gateway.cli.explain_text import render_data, render_text
from gateway.cli.explanation import Answered, Explanation, Forwarded, RefusedAt

STEPS = (Step("caller", "local"), Step("drop", "why", "A"), Step("set", "b", "N" * 30))


def test_columns_are_aligned_and_a_long_name_moves_only_its_line() -> None:
    explained = Explanation("GET / HTTP/1.1", STEPS, RefusedAt("permit", 403, "c", "m"))
    assert render_text(explained) == (
        "GET / HTTP/1.1\n"
        "\n"
        "caller      local\n"
        f"drop        A{' ' * 23}  why\n"
        f"set         {'N' * 30}  b\n"
        "\n"
        "refused at permit: 403 c\n"
        "m\n"
    )


def test_a_request_that_no_stage_took_has_no_empty_table() -> None:
    explained = Explanation("GET / HTTP/1.1", (), RefusedAt("head", 400, "c", "m"))
    assert render_text(explained) == "GET / HTTP/1.1\n\nrefused at head: 400 c\nm\n"


def test_what_was_sent_ends_with_its_head() -> None:
    sent = Forwarded("platform", "https://p", "GET", None, "once", ("GET / HTTP/1.1", "Host: p"))
    text = render_text(Explanation("GET / HTTP/1.1", (), sent))
    assert "rate group  none known\nretries     once\n\nGET / HTTP/1.1\nHost: p\n" in text
    assert text.endswith("Host: p\n")


def test_data_names_its_outcome() -> None:
    explained = Explanation("OPTIONS / HTTP/1.1", STEPS[:1], Answered(204, "GET"))
    assert render_data(explained) == {
        "request": "OPTIONS / HTTP/1.1",
        "steps": [{"stage": "caller", "text": "local", "about": ""}],
        "outcome": "answered",
        "answered": {"status": 204, "allow": "GET"},
    }

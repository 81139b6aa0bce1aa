"""`rc-gateway work`: not for people, and told so."""

import pytest

from gateway.cli import build_parser, main


def test_it_is_not_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert "work" not in build_parser().format_help().replace("gateway", "").split()
    assert main(["wrok"]) == 2
    # With quotes, or without since CPython 3.13.4.
    told = capsys.readouterr().err.replace("'", "").partition("choose from ")[2]
    assert "serve" in told
    assert "work" not in told


@pytest.mark.parametrize("text", ["x", "-1", "0x1", "99999", "9" * 30])
def test_what_is_no_socket_is_a_usage_error(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["work", "--", text]) == 2
    assert "is no socket; run: rc-gateway serve" in capsys.readouterr().err

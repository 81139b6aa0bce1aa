"""Problems on standard error."""

import pytest

from gateway.cli.problems import print_problems, render_problems
from gateway.errors import Problem


def test_problems_are_counted_and_listed_one_per_line() -> None:
    problems = (Problem("log.level", "is not a level"), Problem("", "two\nlines"))
    assert render_problems(problems) == (
        "2 problems in the configuration:\nlog.level: is not a level\ntwo lines"
    )


def test_one_problem_is_one() -> None:
    assert render_problems([Problem("a", "b")]).startswith("1 problem in the configuration:\n")


def test_problems_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    print_problems([Problem("a", "b")])
    captured = capsys.readouterr()
    assert captured.err == "1 problem in the configuration:\na: b\n"
    assert captured.out == ""

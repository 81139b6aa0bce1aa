"""Files, environment and `--set`: what is read, what is not, and never an exception."""

from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.layers import Layer, parse_value, read_environment, read_file, read_sets


def values_of(layer: Layer) -> dict[str, Any]:
    settings, problems = layer
    assert problems == []
    return {".".join(setting.path): setting.value for setting in settings}


def problem_of(layer: Layer) -> str:
    settings, (problem,) = layer
    assert settings == []
    return str(problem)


def test_only_a_double_underscore_makes_a_variable_configuration() -> None:
    environ = {"RCGW_LOG__LEVEL": "debug", "RCGW_IMAGE": "x", "LOG__LEVEL": "x", "rcgw_LOG__X": "x"}
    assert values_of(read_environment(environ)) == {"log.level": "debug"}


def test_names_of_variables_are_not_case_sensitive_and_descend() -> None:
    environ = {"RCGW_Upstreams__ENGAGE_LEGACY__origin": "https://x"}
    assert values_of(read_environment(environ)) == {"upstreams.engage_legacy.origin": "https://x"}


def test_the_source_of_a_variable_is_its_name() -> None:
    ((setting,), _) = read_environment({"RCGW_LOG__LEVEL": "debug"})
    assert setting.source == "environment RCGW_LOG__LEVEL"


def test_two_spellings_of_one_variable_are_a_problem() -> None:
    settings, problems = read_environment({"RCGW_LOG__LEVEL": "a", "RCGW_log__level": "b"})
    assert len(settings) == 1
    assert [str(problem) for problem in problems] == [
        "log.level: set twice, by RCGW_LOG__LEVEL and RCGW_log__level; remove one"
    ]


@pytest.mark.parametrize(
    "name", ["RCGW___LEVEL", "RCGW_LOG__", "RCGW_LOG__A.B", "RCGW_LOG__\u0130"]
)
def test_a_variable_that_names_no_setting_is_a_problem(name: str) -> None:
    layer = read_environment({name: "x"})
    assert problem_of(layer) == f"{name!a}: is not a setting; write RCGW_SECTION__KEY"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8080", 8080),
        ("1.5", 1.5),
        ("true", True),
        ('"8080"', "8080"),
        ('["a", "b"]', ["a", "b"]),
        ("{a = 1}", {"a": 1}),
        ("info", "info"),
        ("", ""),
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("[::1]:8080", "[::1]:8080"),
        ("env:TOKEN", "env:TOKEN"),
        ("1\nb = 2", "1\nb = 2"),
        ("1\n[log]", "1\n[log]"),
        ("[" * 5000, "[" * 5000),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_value_is_read_as_toml_else_as_text(text: str, value: object) -> None:
    assert parse_value(text) == value


def test_a_table_as_a_value_is_taken_apart() -> None:
    assert values_of(read_sets(["log={level = 'debug', format = 'json'}"])) == {
        "log.level": "debug",
        "log.format": "json",
    }
    assert values_of(read_environment({"RCGW_UPSTREAMS__RINGCX": "{}"})) == {"upstreams.ringcx": {}}


def test_a_set_is_cut_at_its_first_equals_sign() -> None:
    assert values_of(read_sets(["a.b = c=d"])) == {"a.b": "c=d"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("log.level", "--set: has no '='; write --set section.key=value"),
        ("=s3cr3t", "--set: '' is not a key; write --set section.key=value"),
        ("log..level=s3cr3t", "--set: 'log..level' is not a key; write --set section.key=value"),
        ("log.\x1b=s3cr3t", "--set: 'log.\\x1b' is not a key; write --set section.key=value"),
    ],
)
def test_a_set_that_names_no_setting_is_a_problem(text: str, problem: str) -> None:
    assert problem_of(read_sets([text])) == problem


def test_a_file_is_toml_and_the_source_of_its_settings(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("[log]\nlevel = 'debug'\n[upstreams.ringcx]\n")
    assert values_of(read_file(path)) == {"log.level": "debug", "upstreams.ringcx": {}}
    assert {setting.source for setting in read_file(path)[0]} == {f"file {path}"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[log]\nlevel = debug\n", "line 2, column 9: "),
        (b"[log]\nlevel = 's3cr3t\n", "line 2, the end of the file: "),
        (b"a = 1\na = 2", "line 2, the end of the file: "),
        (
            b"\xef\xbb\xbf[log]\nlevel = 's3cr3t'\n",
            "begins with a byte order mark; save it as UTF-8 without one",
        ),
        (b"[log]\n\n# caf\xe9\n", "line 3 is not UTF-8; save the file as UTF-8"),
        (b"a = " + b"9" * 5000, "has a number too long or arrays too deep to be read"),
        (b"a = " + b"[" * 5000, "has a number too long or arrays too deep to be read"),
    ],
)
def test_a_file_that_is_no_toml_is_named_with_its_line(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    assert problem_of(read_file(path)).startswith(f"{path}: {reason}")
    assert "s3cr3t" not in problem_of(read_file(path))


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("level = info", '; text stands in quotes: level = "..."'),
        ("level=debug # all\r", '; text stands in quotes: level = "..."'),
        ("log.level = s3cr3t", '; text stands in quotes: log.level = "..."'),
        ("token = env:s3cr3t", '; text stands in quotes: token = "..."'),
        ("ca_file = /etc/s3cr3t", '; text stands in quotes: ca_file = "..."'),
        ("anyone = True", ""),
        ("anyone = yes", ""),
        ("max = 10s", ""),
        ("hosts = [s3cr3t]", ""),
        ("hosts = s3cr3t, b", ""),
        ("level = s3cr3t'", ""),
        ("level = s3cr3t s3cr3t", ""),
        ("level", ""),
    ],
)
def test_text_without_quotes_is_told_how_it_is_written(
    tmp_path: Path, line: str, hint: str
) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(f"\n{line}\nb = 1\n".encode())
    problem = problem_of(read_file(path))
    assert problem.startswith(f"{path}: line 2, column ")
    assert problem.endswith(hint)
    assert ("in quotes" in problem) is bool(hint)
    assert "s3cr3t" not in problem


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert problem_of(read_file(tmp_path)) == f"{tmp_path}: is a directory"
    missing = tmp_path / "x.toml"
    assert problem_of(read_file(missing)) == f"{missing}: does not exist"


@given(st.dictionaries(st.text() | st.text().map("RCGW_A__{}".format), st.text()))
def test_any_environment_is_settings_and_problems(environ: dict[str, str]) -> None:
    settings, problems = read_environment(environ)
    assert all(setting.source.startswith("environment RCGW_") for setting in settings)
    assert all(problem.message for problem in problems)


@given(st.lists(st.text() | st.tuples(st.text("ab."), st.text()).map("=".join)))
def test_any_set_is_settings_or_a_problem(sets: list[str]) -> None:
    settings, problems = read_sets(sets)
    assert all(setting.source == "--set" for setting in settings)
    assert all(problem.path == "--set" for problem in problems)


@given(st.binary() | st.text().map(str.encode))
def test_any_file_is_settings_or_a_problem(content: bytes) -> None:
    with NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        settings, problems = read_file(Path(file.name))
    assert not (settings and problems)
    assert all(problem.path == file.name for problem in problems)

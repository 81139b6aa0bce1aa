"""tools/catalogue.py, on a small list made up here."""

import csv
from pathlib import Path

import pytest

from tools import catalogue

FIELDS = ("spec", "method", "path", "throttling_group", "media_api")
OPERATIONS: list[tuple[str, ...]] = [
    ("2026", "PUT", "/restapi/v1.0/b", "Heavy", ""),
    ("2026", "GET", "/restapi/v1.0/b", "Light", ""),
    ("2026", "GET", "/restapi/v1.0/a/{id}/content", "Medium", "True"),
]


def write_facts(folder: Path, rows: list[tuple[str, ...]]) -> Path:
    path = folder / "facts.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([FIELDS, *rows])
    return path


def test_four_columns_are_kept_in_the_order_of_path_and_method(tmp_path: Path) -> None:
    output = tmp_path / "operations.csv"
    assert catalogue.convert(write_facts(tmp_path, OPERATIONS), output) == 3
    assert output.read_bytes() == (
        b"method,path,group,media\n"
        b"GET,/restapi/v1.0/a/{id}/content,Medium,1\n"
        b"GET,/restapi/v1.0/b,Light,\n"
        b"PUT,/restapi/v1.0/b,Heavy,\n"
    )


def test_the_order_of_the_source_does_not_matter(tmp_path: Path) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    catalogue.convert(write_facts(tmp_path, OPERATIONS), first)
    catalogue.convert(write_facts(tmp_path, OPERATIONS[::-1]), second)
    assert first.read_bytes() == second.read_bytes()


def test_an_operation_listed_twice_is_refused_by_name(tmp_path: Path) -> None:
    facts = write_facts(tmp_path, [*OPERATIONS, ("2026", "GET", "/restapi/v1.0/b", "Auth", "")])
    with pytest.raises(ValueError, match=r"listed more than once: \[\('GET', '/restapi/v1.0/b'\)"):
        catalogue.convert(facts, tmp_path / "operations.csv")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("2026", "get", "/a", "Light", ""), "not an operation"),
        (("2026", "GET", "a", "Light", ""), "not an operation"),
        (("2026", "GET", "/a", "", ""), "not an operation"),
        (("2026", "GET", "/a", "Light", "maybe"), "media_api is 'maybe'"),
    ],
)
def test_a_fact_that_cannot_be_read_is_refused(
    tmp_path: Path, row: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        catalogue.convert(write_facts(tmp_path, [row]), tmp_path / "operations.csv")


def test_a_refused_source_leaves_the_output_untouched(tmp_path: Path) -> None:
    output = tmp_path / "operations.csv"
    output.write_text("as it was")
    with pytest.raises(ValueError, match="not an operation"):
        catalogue.convert(write_facts(tmp_path, [("2026", "GET", "/a", "", "")]), output)
    assert output.read_text() == "as it was"


def test_the_command_says_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts, output = write_facts(tmp_path, OPERATIONS), tmp_path / "operations.csv"
    assert catalogue.main([str(facts), str(output)]) == 0
    assert capsys.readouterr().out == f"{output}: 3 operations\n"


def test_the_shipped_catalogue_is_in_the_form_that_the_tool_writes() -> None:
    shipped = Path(__file__).parents[2] / "gateway" / "data" / "operations.csv"
    with shipped.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == catalogue.COLUMNS
    assert rows == sorted(rows, key=lambda row: (row[1], row[0]))
    assert {row[3] for row in rows} == set(catalogue.MEDIA.values())

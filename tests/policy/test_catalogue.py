"""gateway/policy/catalogue.py."""

import csv
import re
from importlib.resources import files

import pytest

from gateway.policy import catalogue
from gateway.policy.catalogue import Catalogue, Operation, load_catalogue, parse_operations

ACCOUNT = "/restapi/v1.0/account"
SHIPPED = load_catalogue()
ROWS = list(
    csv.DictReader((files("gateway.data") / "operations.csv").read_text("utf-8").splitlines())
)


def operation(method: str, template: str) -> Operation:
    return Operation(method, template, "Light", media=False)


def find(method: str, reading: str) -> Operation | None:
    return SHIPPED.find(method, reading.encode())


def count_visits(monkeypatch: pytest.MonkeyPatch, found_in: Catalogue, reading: str) -> list[int]:
    """Return how many trie nodes are looked at, for each segment."""
    visits = []
    step = catalogue._step

    def counted(nodes: list[catalogue._Node], segment: bytes) -> list[catalogue._Node]:
        visits.append(len(nodes))
        return step(nodes, segment)

    with monkeypatch.context() as patch:
        patch.setattr(catalogue, "_step", counted)
        found_in.find("GET", reading.encode())
    return visits


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['method']} {row['path']}")
def test_every_shipped_operation_is_found_by_an_example_of_its_path(row: dict[str, str]) -> None:
    path = re.sub(r"\{[^/]+\}", "x1", row["path"]).lower()
    found = find(row["method"], path)
    assert found == Operation(row["method"], row["path"], row["group"], row["media"] == "1")


def test_an_operation_is_found_by_method_and_path() -> None:
    get = find("GET", f"{ACCOUNT}/~/ivr-prompts/1")
    delete = find("DELETE", f"{ACCOUNT}/~/ivr-prompts/1")
    assert get is not None
    assert delete is not None
    assert (get.group, delete.group) == ("Medium", "Heavy")
    assert get.template == delete.template == f"{ACCOUNT}/{{accountId}}/ivr-prompts/{{promptId}}"


def test_head_is_the_get_of_the_same_resource() -> None:
    assert find("HEAD", f"{ACCOUNT}/~") is find("GET", f"{ACCOUNT}/~") is not None


@pytest.mark.parametrize(
    ("method", "reading"),
    [
        ("PATCH", f"{ACCOUNT}/~/ivr-prompts"),
        ("OPTIONS", f"{ACCOUNT}/~"),
        ("GET", "/"),
        ("GET", "/restapi/v1.0/unknown"),
        ("GET", f"{ACCOUNT}/~/unknown"),
        ("GET", f"{ACCOUNT}/~/ivr-prompts/1/content/more"),
        ("GET", "restapi"),
    ],
)
def test_what_the_vendor_has_not_published_has_no_operation(method: str, reading: str) -> None:
    assert find(method, reading) is None


def test_templates_are_compared_in_lower_case() -> None:
    found = Catalogue([operation("GET", "/Some/{Id}/Path")]).find("GET", b"/some/x/path")
    assert found is not None
    assert found.template == "/Some/{Id}/Path"


def test_a_literal_segment_goes_before_a_wildcard() -> None:
    literal, wild = operation("GET", "/a/batch"), operation("GET", "/a/{id}")
    for operations in ([literal, wild], [wild, literal]):
        found_in = Catalogue(operations)
        assert found_in.find("GET", b"/a/batch") is literal
        assert found_in.find("GET", b"/a/other") is wild


def test_a_wildcard_serves_where_the_literal_leads_nowhere() -> None:
    deeper, other = operation("GET", "/a/{id}/deep"), operation("DELETE", "/a/{id}")
    found_in = Catalogue([operation("GET", "/a/batch"), deeper, other])
    assert found_in.find("GET", b"/a/batch/deep") is deeper
    assert found_in.find("DELETE", b"/a/batch") is other
    assert found_in.find("PUT", b"/a/batch") is None


def test_a_path_of_thousands_of_segments_visits_few_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    long = f"{ACCOUNT}/~/extension/~/message-store/1/content/2" + "/x" * 5000
    visits = count_visits(monkeypatch, SHIPPED, long)
    deepest = max(row["path"].count("/") for row in ROWS)
    assert len(visits) <= deepest + 1
    assert sum(visits) <= 2 * len(visits)
    assert count_visits(monkeypatch, SHIPPED, "/x" * 5000) == [1]


def test_no_path_follows_more_than_two_ways_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for row in ROWS:
        # The template itself is a path that matches literals and wildcards alike.
        assert max(count_visits(monkeypatch, SHIPPED, row["path"].lower())) <= 2


def test_rows_become_operations() -> None:
    rows = [
        {"method": "GET", "path": "/a/{id}", "group": "Heavy", "media": "1"},
        {"method": "PUT", "path": "/a", "group": "Light", "media": ""},
    ]
    assert parse_operations(rows) == [
        Operation("GET", "/a/{id}", "Heavy", media=True),
        Operation("PUT", "/a", "Light", media=False),
    ]

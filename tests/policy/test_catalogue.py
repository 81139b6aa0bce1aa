"""gateway/policy/catalogue.py."""

import csv
import re
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


class Counted(dict[bytes, catalogue._Node]):
    """Literal children that count how often a node is looked at."""

    looks = 0

    def get(self, segment: bytes, default: Any = None) -> Any:
        Counted.looks += 1
        return super().get(segment, default)


def counting(node: catalogue._Node) -> None:
    """Have a trie count."""
    for child in (*node.literal.values(), node.wildcard):
        if child is not None:
            counting(child)
    node.literal = Counted(node.literal)


def count_looks(reading: str) -> int:
    """Return how many nodes are looked at for a path."""
    Counted.looks = 0
    COUNTED.find("GET", reading.encode())
    return Counted.looks


COUNTED = load_catalogue()
counting(COUNTED._root)


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


segments = st.lists(st.sampled_from(["a", "b", "{x}"]), min_size=1, max_size=4)


@given(st.lists(st.tuples(st.sampled_from(["GET", "PUT"]), segments), max_size=8), segments)
def test_of_all_that_match_the_one_with_the_earlier_literals_is_found(
    listed: list[tuple[str, list[str]]], path: list[str]
) -> None:
    operations = {
        key: operation(key[0], "/" + key[1]) for key in {(m, "/".join(t)) for m, t in listed}
    }
    matching = [
        (template, one)
        for (method, joined), one in operations.items()
        if method == "GET" and len(template := joined.split("/")) == len(path)
        if all(part in (asked, "{x}") for part, asked in zip(template, path, strict=True))
    ]
    # "{" comes after every letter.
    best = min(matching, default=(None, None), key=lambda pair: pair[0] or [])[1]
    assert Catalogue(operations.values()).find("GET", ("/" + "/".join(path)).encode()) is best


def test_a_path_of_thousands_of_segments_visits_few_nodes() -> None:
    long = f"{ACCOUNT}/~/extension/~/message-store/1/content/2" + "/x" * 5000
    deepest = max(row["path"].count("/") for row in ROWS)
    assert count_looks(long) <= 2 * (deepest + 1)
    assert count_looks("/x" * 5000) == 1


def test_no_path_follows_more_than_two_ways_at_once() -> None:
    for row in ROWS:
        # The template itself is a path that matches literals and wildcards alike.
        assert count_looks(row["path"].lower()) <= 2 * row["path"].count("/")


def test_rows_become_operations() -> None:
    rows = [
        {"method": "GET", "path": "/a/{id}", "group": "Heavy", "media": "1"},
        {"method": "PUT", "path": "/a", "group": "Light", "media": ""},
    ]
    assert parse_operations(rows) == [
        Operation("GET", "/a/{id}", "Heavy", media=True),
        Operation("PUT", "/a", "Light", media=False),
    ]

"""Settings to come: refused by name, but for the value that does what this version does."""

from typing import Any

import pytest

from gateway.config.later import later_names, take_later

WORKING: list[dict[str, Any]] = [
    {"ops": {"ready_requires": []}},
]


@pytest.mark.parametrize("tree", WORKING, ids=str)
def test_what_this_version_does_is_taken_and_forgotten(tree: dict[str, Any]) -> None:
    assert take_later(tree) == []
    assert tree == {"ops": {}}


def test_what_is_refused_is_taken_out() -> None:
    tree: dict[str, Any] = {"ops": {"ready_requires": ["vendor"]}}
    paths = [flaw.path for flaw in take_later(tree)]
    assert paths == [("ops", "ready_requires")]
    assert tree == {"ops": {}}


def test_strange_shapes_are_left_to_validation() -> None:
    tree: dict[str, Any] = {"links": 5, "upstreams": [], "ops": {"ready_requires": {"a": 1}}}
    assert take_later(tree) == []
    assert tree == {"links": 5, "upstreams": [], "ops": {"ready_requires": {"a": 1}}}


def test_the_names_to_come_stand_beside_those_of_the_model() -> None:
    assert later_names(()) == ()
    assert later_names(("ops",)) == ("ready_requires",)
    assert later_names(("log",)) == ()

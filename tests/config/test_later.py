"""Settings to come: refused by name, but for the value that does what this version does."""

from typing import Any

import pytest

from gateway.config.later import SECTIONS, later_names, take_later
from tests.config.loading import config_of

WORKING: list[dict[str, Any]] = [
    {"engine": {"workers": 1, "fast_lane": False}},
    {"rates": {"mode": "off"}},
    {"retries": {"on_status": []}},
    {"ops": {"ready_requires": []}},
    {"stores": {}},
]


@pytest.mark.parametrize("tree", WORKING, ids=str)
def test_what_this_version_does_is_taken_and_forgotten(tree: dict[str, Any]) -> None:
    assert take_later(tree) == []
    assert tree in ({}, {"ops": {}})


def test_a_value_that_the_model_knows_stays() -> None:
    tree = {"links": {"rewrite": "off"}}
    assert take_later(tree) == []
    assert tree == {"links": {"rewrite": "off"}}
    config_of("links.rewrite=off")


def test_what_is_refused_is_taken_out() -> None:
    tree: dict[str, Any] = {"links": {"rewrite": "on"}, "engine": {"workers": 2}}
    assert [flaw.path for flaw in take_later(tree)] == [("links", "rewrite"), ("engine", "workers")]
    assert tree == {"links": {}}


def test_strange_shapes_are_left_to_validation() -> None:
    tree: dict[str, Any] = {"links": 5, "upstreams": [], "ops": {"ready_requires": {"a": 1}}}
    assert take_later(tree) == []
    assert tree == {"links": 5, "upstreams": [], "ops": {"ready_requires": {"a": 1}}}


def test_the_names_to_come_stand_beside_those_of_the_model() -> None:
    assert later_names(()) == tuple(SECTIONS)
    assert later_names(("ops",)) == ("ready_requires",)
    assert later_names(("log",)) == ()

"""Validation: whatever the tree holds, the outcome is a configuration and its flaws."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.config.flaws import names_at
from gateway.config.model import Config
from gateway.config.reading import read_config


def test_a_sound_tree_has_no_flaw() -> None:
    config, flaws = read_config({"log": {"level": "debug"}})
    assert config.log.level == "debug"
    assert flaws == []


def test_the_default_stands_in_for_a_flawed_value_and_its_neighbours_stay() -> None:
    config, flaws = read_config({"log": {"level": "loud", "format": "console"}})
    assert (config.log.level, config.log.format) == ("info", "console")
    assert [flaw.path for flaw in flaws] == [("log", "level")]


def test_a_flawed_item_takes_its_list_along_once() -> None:
    config, flaws = read_config({"listener": {"bind": ["x", "y"]}})
    assert config.listener == Config().listener
    assert [flaw.path for flaw in flaws] == [("listener", "bind", 0), ("listener", "bind", 1)]


def test_a_value_and_the_table_around_it_may_both_be_flawed() -> None:
    _, flaws = read_config({"upstreams": {"nobody": {"x": 1}}, "credentials": {"A": {"grant": 1}}})
    assert [flaw.path for flaw in flaws] == [
        ("upstreams", "nobody"),
        ("upstreams", "nobody", "x"),
        ("credentials", "A"),
        ("credentials", "A", "grant"),
    ]


names = st.sampled_from(
    [
        *Config.model_fields,
        *(name for table in (["upstreams", "x"], ["credentials", "x"]) for name in names_at(table)),
        *names_at(["listener"]),
        *names_at(["limits"]),
        *("platform", "media", "[key]", "a", ""),
    ]
)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.dates(),
    st.sampled_from(["127.0.0.1:1", "https://x", "env:X", "static", 10**30]),
)
trees = st.dictionaries(
    names,
    st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
        max_leaves=12,
    ),
    max_size=5,
)


@given(trees)
def test_any_tree_is_a_configuration_and_flaws(tree: dict[str, Any]) -> None:
    config, flaws = read_config(tree)
    assert isinstance(config, Config)
    assert all(flaw.message and "\n" not in flaw.message for flaw in flaws)

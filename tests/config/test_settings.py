"""Layers: the later wins, tables come apart and together again, paths are shown safely."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.config.settings import Setting, flatten, merge, read_settings, render_path, sources_of

keys = st.text(min_size=1, max_size=5)
trees: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.dictionaries(keys, st.integers() | st.lists(st.integers()), max_size=3),
    lambda inner: st.dictionaries(keys, inner, max_size=3),
    max_leaves=10,
)


@given(trees)
def test_a_tree_comes_back_from_its_leaves(tree: dict[str, Any]) -> None:
    assert merge(read_settings(tree, "file x")) == tree


@given(trees, trees)
def test_every_leaf_of_the_later_layer_is_in_the_result(
    earlier: dict[str, Any], later: dict[str, Any]
) -> None:
    tree = merge([*read_settings(earlier, "file x"), *read_settings(later, "--set")])
    leaves = dict(flatten(tree))
    assert all(leaves[path] == value for path, value in flatten(later) if value != {})


def test_the_later_value_wins_and_its_neighbours_stay() -> None:
    settings = [
        *read_settings({"log": {"level": "info", "format": "json"}}, "file a"),
        *read_settings({"log": {"level": "debug"}}, "--set"),
    ]
    assert merge(settings) == {"log": {"level": "debug", "format": "json"}}
    assert sources_of(settings) == {"log.level": "--set", "log.format": "file a"}


def test_a_list_replaces_a_list() -> None:
    settings = [Setting(("a",), [1, 2], "x"), Setting(("a",), [3], "y")]
    assert merge(settings) == {"a": [3]}


def test_an_empty_table_takes_nothing_away() -> None:
    settings = [Setting(("a", "b"), 1, "x"), Setting(("a",), {}, "y")]
    assert merge(settings) == {"a": {"b": 1}}


def test_a_table_and_a_value_at_one_path_replace_each_other() -> None:
    value, table = Setting(("a",), 1, "x"), Setting(("a", "b"), 2, "y")
    assert merge([value, table]) == {"a": {"b": 2}}
    assert merge([table, value]) == {"a": 1}
    assert merge([value, Setting(("a",), {}, "y")]) == {"a": {}}


def test_any_depth_is_walked() -> None:
    tree: dict[str, Any] = {"x": 1}
    for _ in range(5000):
        tree = {"x": tree}
    ((path, value),) = flatten(tree)
    assert (len(path), value) == (5001, 1)


def test_the_value_of_a_setting_is_not_printed() -> None:
    assert "s3cr3t" not in repr(Setting(("a",), "s3cr3t", "--set"))


def test_a_path_is_written_as_toml_writes_it() -> None:
    assert render_path(["listener", "bind", 0]) == "listener.bind[0]"
    assert render_path(["a b", 'c"\n\x1b', ""]) == '"a b"."c\\"\\n\\u001b".""'
    assert render_path(["\ud800" + "x" * 100]) == '"\\ud800' + "x" * 79 + '"'

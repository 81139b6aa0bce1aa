"""Ratios are taken within a round; tables say what is missing; targets are judged."""

import pytest

from tests.bench.report import (
    DASH,
    MAIN_LANE_TARGETS,
    Samples,
    render_reference,
    render_table,
    render_targets,
)


def samples(**figures: dict[str, list[float | None]]) -> Samples:
    return Samples({key: dict(by_peer) for key, by_peer in figures.items()})


def test_a_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    # The second round ran on a machine twice as slow: 2, 2 and 4, not 3 / 2 or 8 / 2.
    taken = samples(norm={"nginx": [1.0, 2.0, 1.0], "x": [2.0, 4.0, 4.0]})
    assert taken.ratio("norm", "x") == 2.0
    assert taken.ratio("norm", "nginx") == 1.0
    assert taken.median("norm", "x") == 4.0


def test_added_latency_is_what_the_bare_origin_does_not_take() -> None:
    taken = samples(p99={"no proxy": [100.0, 150.0], "nginx": [140.0, 190.0], "x": [180.0, 270.0]})
    assert taken.ratio("p99", "x", added=True) == 2.5
    assert render_reference(taken) == "added p99 at the fixed rate: 40 µs"
    assert "| x | 2.50 |" in render_table(taken, ["nginx", "x"])
    faster = samples(p99={"no proxy": [100.0], "nginx": [90.0], "x": [180.0]})
    assert faster.ratio("p99", "x", added=True) is None
    as_fast = samples(p99={"no proxy": [100.0], "nginx": [109.0], "x": [180.0]})
    assert as_fast.ratio("p99", "x", added=True) is None


def test_a_round_that_failed_counts_for_neither() -> None:
    taken = samples(norm={"nginx": [1.0, None, 1.0], "x": [3.0, 4.0, None]})
    assert taken.ratio("norm", "x") == 3.0
    assert samples(norm={"nginx": [None], "x": [1.0]}).ratio("norm", "x") is None
    assert samples().median("norm", "x") is None


def test_figures_are_kept_round_by_round() -> None:
    taken = Samples()
    for figure in (1.0, None, 3.0):
        taken.add("norm", "x", figure)
    assert taken.figures == {"norm": {"x": [1.0, None, 3.0]}}
    assert taken.median("norm", "x") == 2.0


def test_the_table_has_the_columns_that_were_measured() -> None:
    taken = samples(
        norm={"nginx": [10.0], "x": [25.0], "broken": [None]}, idle={"nginx": [5.0], "x": [70.4]}
    )
    assert render_table(taken, ["nginx", "x", "broken"]).splitlines() == [
        "| proxy | norm, x nginx | MiB idle |",
        "| --- | ---: | ---: |",
        "| nginx | 1.00 | 5 |",
        "| x | 2.50 | 70 |",
        f"| broken | {DASH} | {DASH} |",
    ]
    assert render_reference(taken) == "norm: 10 µs CPU per request"


@pytest.mark.parametrize(
    ("key", "figure", "targets", "shown"),
    [
        ("norm", 2.1, {}, "| gw | norm | at most 2 x nginx | 2.10 | **missed** |"),
        ("norm", 2.1, MAIN_LANE_TARGETS, "| gw | norm | at most 4 x nginx | 2.10 | met |"),
        ("idle", 75.0, {}, "| gw | MiB idle | at most 75 MiB | 75.0 | met |"),
    ],
)
def test_a_target_is_met_or_missed(
    key: str, figure: float, targets: dict[str, float], shown: str
) -> None:
    taken = Samples({key: {"nginx": [1.0], "gw": [figure]}})
    assert render_targets(taken, {"gw": targets}, {}).splitlines()[2:] == [shown]


def test_a_target_that_is_a_least_is_missed_below_it() -> None:
    taken = samples(reuse={"gw": [98.5]})
    assert render_targets(taken, {"gw": {}}, {}).endswith("at least 99 % | 98.50 | **missed** |")


def test_rewriting_is_compared_with_the_same_round_unrewritten() -> None:
    taken = samples(page={"plain": [10.0, 40.0], "links": [14.0, 80.0]})
    shown = "| links | 64 KiB of JSON | at most 1.5 x the same, links as they are | 1.70 |"
    assert render_targets(taken, {}, {"links": "plain"}).splitlines()[2].startswith(shown)

"""The figures of a soak: what growth is, what is met, what the table says."""

from collections import Counter

from tests.bench import soak
from tests.bench.soak_crowd import SPARE, Felt, how_many
from tests.bench.soak_drain import Drained
from tests.bench.soak_gateway import parse_gauges
from tests.bench.soak_mixed import Left, growth

CALM = Left(done=Counter(get=9), memory_mib=[50.0] * 30, descriptors=(11, 11))


def test_growth_leaves_the_warm_up_out() -> None:
    warm_up = [10.0, 30.0, 49.0, 50.0]
    assert growth([*warm_up, *[50.0] * 8]) == 0.0
    assert round(growth([*warm_up, *[50.0] * 4, *[55.0] * 4]), 3) == 0.1


def test_growth_of_few_samples_is_still_a_figure() -> None:
    assert growth([50.0]) == 0.0
    assert round(growth([1.0, 50.0, 60.0]), 3) == 0.2


def test_gauges_are_the_samples_without_labels() -> None:
    text = '# TYPE a gauge\nrcgw_in_flight_requests 2.0\nrcgw_build_info{version="0"} 1.0\n'
    assert parse_gauges(text) == {"rcgw_in_flight_requests": 2.0}


def test_a_crowd_is_as_large_as_open_files_allow() -> None:
    assert how_many(10_000, 20_000) == 10_000
    assert how_many(10_000, 4096) == 4096 - SPARE
    assert how_many(10_000, 1024) == 0


def test_only_runs_that_follow_each_other_are_compared() -> None:
    # The machine became ten times slower, and the crowd made no difference; but for a pause.
    alone, crowded = (0.001, 0.01, 0.01, 0.001, 0.005), (0.001, 0.01, 0.2, 0.001, 0.005)
    assert Felt(10_000, 200, alone, crowded, 0, 50.0, 150.0, cut=40).slowdown == 1.0


def test_a_calm_run_meets_its_bounds() -> None:
    felt = Felt(10_000, 200, (0.001,), (0.0019,), 0, 50.0, 150.0, cut=40)
    figures = [
        *soak.of_crowd(felt),
        *soak.of_mixed(CALM, 10),
        *soak.of_drain(Drained(answered=100, code=0)),
    ]
    assert all(figure.met for figure in figures)
    assert "**missed**" not in soak.render(figures)


def test_what_breaks_is_said() -> None:
    felt = Felt(3000, 200, (0.001,), (0.0021,), 1, 50.0, 150.0, cut=40)
    slow, failed, *_ = soak.of_crowd(felt)
    assert (slow.met, failed.met) == (False, False)
    assert "need a higher limit of open files" in slow.what
    left = Left(
        done=Counter(get=9),
        failures=Counter({"get: Wrong status 502": 2}),
        memory_mib=[50.0] * 20 + [60.0] * 10,
        connections=1.0,
        errors=1,
    )
    figures = soak.of_mixed(left, 1)
    assert not any(figure.met for figure in figures)
    assert "2 of 9 (2 x get: Wrong status 502)" in soak.render(figures)
    drained = soak.of_drain(Drained(answered=1, failed=1, code=1))
    assert not any(figure.met for figure in drained)

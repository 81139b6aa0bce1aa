"""gateway/policy/probes.py."""

import pytest

from gateway.config.presets import PRESETS
from gateway.policy.probes import LONG_BYTES, OVERRIDABLE, Question, make_probes


@pytest.mark.parametrize("upstream", PRESETS)
def test_a_plain_get_comes_first_and_no_question_twice(upstream: str) -> None:
    probes = make_probes(upstream)
    assert (probes[0].method, probes[0].query) == (b"GET", None)
    questions = [probe.question for probe in probes]
    assert len(questions) == len(set(questions))
    assert any(probes[0].path.decode().startswith(route) for route in PRESETS[upstream].routes) or (
        upstream == "media"
    )


@pytest.mark.parametrize("upstream", PRESETS)
def test_overrides_are_asked_for_only_where_they_are_documented(upstream: str) -> None:
    probes = make_probes(upstream)
    overrides = [probe for probe in probes if probe.method == b"POST"]
    assert bool(overrides) is (upstream in OVERRIDABLE)
    assert {probe.question for probe in probes} == set(Question) or not overrides


def test_nothing_is_asked_to_be_deleted_through_an_override() -> None:
    for probe in make_probes("platform"):
        said = [*(value for _, value in probe.fields), probe.query or b""]
        assert not any(b"DELETE" in text for text in said)


def test_a_long_target_is_as_long_as_everybody_should_take() -> None:
    (probe,) = [probe for probe in make_probes("media") if probe.question is Question.LONG]
    assert probe.query is not None
    line = b"GET %b?%b HTTP/1.1" % (probe.path, probe.query)
    assert LONG_BYTES <= len(line) < LONG_BYTES + 32

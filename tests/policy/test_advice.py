"""gateway/policy/advice.py."""

import tomllib
from collections.abc import Mapping
from typing import Any

import pytest

from gateway.policy.advice import advise
from gateway.policy.findings import judge
from tests.config.loading import load_sets
from tests.policy.paths import CASES, examination_of


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_is_advised(case: Mapping[str, Any]) -> None:
    examination = examination_of(case)
    findings = judge(examination)
    advice = advise(examination, findings)
    assert list(advice) == case.get("advice", [])
    assert bool(advice) == any(finding.is_trouble for finding in findings)


@pytest.mark.parametrize(
    "line", sorted({line for case in CASES for line in case.get("advice", [])})
)
def test_advice_is_toml_that_the_configuration_takes(line: str) -> None:
    tree = tomllib.loads(line)
    if tree:
        setting = line.partition("  #")[0].replace(" = ", "=").replace("host:port", "host:1")
        load_sets(setting)

"""gateway/policy/findings.py."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.findings import Verdict, judge
from gateway.policy.probes import Question
from tests.policy.paths import CASES, examination_of

ANSWERS = st.sampled_from(
    ["200", "400", "405", "403 boxd", "405 nginx", "200 bare", "403 json", "! cut"]
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_the_answers_say_of_the_path(case: Mapping[str, Any]) -> None:
    findings = judge(examination_of(case))
    found = [
        f"{finding.verdict} | {finding.about} | {finding.hop} | {finding.text}"
        for finding in findings
        if finding.verdict is not Verdict.OK
    ]
    assert found == case.get("found", [])
    assert case.get("ok", findings[0].text) == findings[0].text


@given(
    st.dictionaries(st.sampled_from([each.name for each in Question]), ANSWERS),
    st.sampled_from(["platform", "ringcx"]),
    st.sampled_from(["off", "header", "query"]),
)
def test_whatever_comes_every_verb_is_judged_and_no_stranger_is_well(
    answers: dict[str, str], upstream: str, tunnel: str
) -> None:
    case = {"answers": answers, "upstream": upstream, "tunnel": tunnel}
    found = {finding.about: finding for finding in judge(examination_of(case))}
    if answers.get("GET") == "! cut":
        assert set(found) == {"GET"}
        return
    for verb in ("HEAD", "PUT", "PATCH", "DELETE"):
        if answers.get(verb) in ("403 boxd", "403 json", "! cut"):
            assert found[verb].verdict in (Verdict.BLOCKED, Verdict.AVOIDED)
            assert found[verb].hop != "vendor"

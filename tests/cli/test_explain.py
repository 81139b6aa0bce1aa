"""`rc-gateway explain`, whole outputs: what people read, what programs read, the exit code."""

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gateway import __version__
from gateway.cli import main

VECTORS = Path(__file__).parents[1] / "vectors" / "explain.toml"
EXPLAINED: list[dict[str, Any]] = tomllib.loads(VECTORS.read_text("utf-8"))["explained"]
ASSUMED = "credentials.mine is not configured; assuming a static token\n"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("RC_", "RCGW_")):
            monkeypatch.delenv(name)


@pytest.mark.parametrize("case", EXPLAINED, ids=lambda case: str(case["name"]))
def test_people_read_each_rule_and_the_outbound_head(
    case: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["explain", *case["words"]])
    assert capsys.readouterr().out == case["text"].replace("{version}", __version__)
    assert code == case["exit"]


@pytest.mark.parametrize("case", EXPLAINED, ids=lambda case: str(case["name"]))
def test_programs_read_the_same(case: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["explain", "--json", *case["words"]])
    told = json.loads(capsys.readouterr().out)
    text = case["text"].replace("{version}", __version__)
    assert code == case["exit"]
    assert told["request"] == text.splitlines()[0]
    assert all(step["text"] in text and step["about"] in text for step in told["steps"])
    outcome = told[told["outcome"]]
    assert (told["outcome"] == "refused") == (code == 1)
    if told["outcome"] == "forwarded":
        assert text.endswith("\n".join(["", *outcome["head"], ""]))
    if told["outcome"] == "refused":
        assert f"\nrefused at {outcome['stage']}: {outcome['status']} {outcome['code']}\n" in text


def test_a_missing_credential_is_assumed_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["explain", "--set", "upstreams.platform.credential=mine", "/restapi"]
    assert main(words) == 0
    assert capsys.readouterr().err == ASSUMED


def test_a_configured_credential_is_taken_without_being_resolved(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RCGW_CREDENTIALS__RINGCENTRAL__GRANT", "static")
    monkeypatch.setenv("RCGW_CREDENTIALS__RINGCENTRAL__TOKEN", "file:/nowhere")
    assert main(["explain", "/restapi"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "Authorization: Bearer ********" in captured.out


def test_other_problems_are_all_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--set", "log.level=loud", "--set", "x.y=1", "/restapi"]) == 78
    error = capsys.readouterr().err
    assert error.startswith("2 problems in the configuration:\n")

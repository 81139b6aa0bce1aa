"""`rc-gateway check`: all problems at once, or what would be served."""

import json
import os
from pathlib import Path

import pytest

from gateway.cli import main

GOOD = """
[credentials.ringcentral]
grant = "static"
token = "env:RC_ACCESS_TOKEN"
"""
BAD = """
[listner]
[log]
level = "loud"
[timeouts]
head_s = "soon"
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return tmp_path / "gateway.toml"


def test_a_good_configuration_is_summed_up(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RC_ACCESS_TOKEN", "s3cr3t")
    config.write_text(GOOD)
    assert main(["check", "--config", str(config)]) == 0
    out = capsys.readouterr().out
    assert out == (
        "The configuration is fit to serve.\n"
        "\n"
        "listener  127.0.0.1:8080\n"
        "ops       127.0.0.1:9902\n"
        "upstream  platform: https://platform.ringcentral.com, ringcentral (static)\n"
        "upstream  media: https://media.ringcentral.com, ringcentral (static)\n"
    )
    assert main(["check", "--json", "--config", str(config)]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "problems": [], "cautions": []}


def test_what_may_not_be_meant_is_told_and_allowed(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOKEN", "s3cr3t")
    config.write_text(
        "[credentials.ringcentral]\n"
        'grant = "refresh_token"\nclient_id = "env:TOKEN"\nrefresh_token = "env:TOKEN"\n'
    )
    assert main(["check", "--config", str(config)]) == 0
    assert "\ncaution   credentials.ringcentral.refresh_token: is good" in capsys.readouterr().out
    assert main(["check", "--json", "--config", str(config)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"]
    assert told["cautions"][0]["path"] == "credentials.ringcentral.refresh_token"


def test_the_proxy_that_an_upstream_is_reached_by_is_summed_up(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RC_ACCESS_TOKEN", "s3cr3t")
    monkeypatch.setenv("HTTPS_PROXY", "http://user:s3cr3t@proxy.corp:3128")
    monkeypatch.setenv("NO_PROXY", "media.ringcentral.com")
    config.write_text(GOOD)
    assert main(["check", "--config", str(config)]) == 0
    *_, platform, media = capsys.readouterr().out.splitlines()
    assert platform.endswith("ringcentral (static), by the proxy proxy.corp:3128")
    assert media.endswith("ringcentral (static)")


def test_a_secret_that_does_not_resolve_is_a_problem(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RC_ACCESS_TOKEN", raising=False)
    config.write_text(GOOD)
    assert main(["check", "--config", str(config)]) == os.EX_CONFIG
    error = capsys.readouterr().err
    assert error.startswith("1 problem in the configuration:\ncredentials.ringcentral.token: ")
    assert "RC_ACCESS_TOKEN is not set" in error


def test_programs_get_each_problem_with_its_path(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(BAD)
    assert main(["check", "--json", "--config", str(config)]) == os.EX_CONFIG
    captured = capsys.readouterr()
    told = json.loads(captured.out)
    assert told["ok"] is False
    paths = {problem["path"] for problem in told["problems"]}
    assert {"listner", "log.level", "timeouts.head_s"} <= paths
    assert all(problem["message"] for problem in told["problems"])
    assert captured.err == ""


def test_a_file_that_is_not_there_is_one_line(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--config", str(config)]) == os.EX_CONFIG
    assert f"{config}: does not exist" in capsys.readouterr().err


def test_more_workers_than_one_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    sets = ("credentials.ringcentral.grant=none", "engine.workers=auto", "rates.mode=off")
    assert main(["check", *(word for one in sets for word in ("--set", one))]) == 0
    assert "\nworkers   auto\n" in capsys.readouterr().out

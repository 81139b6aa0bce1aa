"""`rc-gateway config show` and `config schema`."""

import json
import os
import tomllib
from pathlib import Path

import pytest

from gateway.cli import main


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "gateway.toml"
    file.write_text('[credentials.ringcentral]\ngrant = "static"\ntoken = "literal:s3cr3t"\n')
    return file


def test_every_setting_is_shown_with_its_source(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RCGW_LOG__LEVEL", "debug")
    words = ["config", "show", "--config", str(config), "--set", "timeouts.head_s=3"]
    assert main(words) == 0
    rows = dict(line.split("  # ") for line in capsys.readouterr().out.splitlines())
    sources = {setting.strip(): source for setting, source in rows.items()}
    assert sources['listener.bind = ["127.0.0.1:8080"]'] == "default"
    assert sources['log.level = "debug"'] == "environment RCGW_LOG__LEVEL"
    assert sources["timeouts.head_s = 3.0"] == "--set"
    assert sources['credentials.ringcentral.grant = "static"'] == f"file {config}"
    assert sources['credentials.ringcentral.token = "literal:********"'] == f"file {config}"


def test_a_setting_without_a_value_is_shown_as_a_comment(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = ["credentials.rc.grant=jwt", "upstreams.media.credential=rc"]
    sets += ["credentials.rc.client_id=env:A", "credentials.rc.jwt=env:B"]
    options = [word for each in sets for word in ("--set", each)]
    assert main(["config", "show", "--config", str(config), *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    unset = {line.partition("  # ")[0].strip() for line in lines if line.endswith("  # unset")}
    shown = {line.partition("  # ")[0].strip() for line in lines if line.endswith("  # default")}
    assert shown >= {'links.public_origin = ""', 'stores.redis = ""', 'stores.key = ""'}
    assert unset == {
        "# upstreams.platform.proxy_auth",
        "# upstreams.media.proxy_auth",
        "# credentials.rc.client_secret",
        "# credentials.rc.access_token_ttl",
        "# credentials.rc.refresh_token_ttl",
    }


def test_what_is_shown_is_toml_and_hides_secrets(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "show", "--config", str(config)]) == 0
    out = capsys.readouterr().out
    assert "s3cr3t" not in out
    shown = tomllib.loads(out)
    assert shown["upstreams"]["platform"]["origin"] == "https://platform.ringcentral.com"
    assert shown["listener"]["anyone"] is False


def test_short_settings_have_their_sources_in_one_column(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "show", "--config", str(config)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len({line.index("  # ") for line in lines if line.index("  # ") < 60}) == 1


def test_a_missing_credential_is_said_and_nothing_made_up_in_its_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in list(os.environ):
        if name.startswith(("RC_", "RCGW_")):
            monkeypatch.delenv(name)
    assert main(["config", "show", "--set", "upstreams.platform.credential=mine"]) == 0
    captured = capsys.readouterr()
    assert captured.err.startswith("credentials.mine is not configured; this cannot serve")
    assert "\ncredentials." not in captured.out
    assert 'upstreams.platform.credential = "mine"' in captured.out


def test_the_schema_knows_every_section(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["additionalProperties"] is False
    assert {"listener", "ops", "query", "upstreams", "credentials"} <= set(schema["properties"])

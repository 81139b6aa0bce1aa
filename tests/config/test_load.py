"""Loading: what wins over what, where each value came from, and that nothing else happens."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.flaws import names_at
from gateway.config.load import load, restore
from gateway.config.model import Config
from gateway.errors import ConfigError
from tests.config.loading import TOKEN, load_sets, problems_of


def test_a_token_is_all_that_a_sidecar_needs() -> None:
    loaded = load([], [], {"RCGW_CREDENTIALS__RINGCENTRAL__TOKEN": "env:T"})
    assert loaded.config.credentials["ringcentral"].grant == "static"
    assert list(loaded.config.upstreams) == ["platform", "media"]


def test_the_vendors_variables_are_enough_whatever_else_is_said_of_the_credential() -> None:
    names = ("RC_APP_CLIENT_ID", "RC_APP_CLIENT_SECRET", "RC_USER_JWT")
    sets = ["credentials.ringcentral.auth_limit=3"]
    loaded = load([], sets, dict.fromkeys(names, "x"), resolve=True)
    assert loaded.config.credentials["ringcentral"].auth_limit == 3
    assert loaded.sources["credentials.ringcentral.grant"] == "default"
    assert loaded.sources["credentials.ringcentral.auth_limit"] == "--set"
    assert [problem.split(":")[0] for problem in problems_of(sets, resolve=True)] == [
        "credentials.ringcentral"
    ]


def test_each_layer_wins_over_the_one_before(tmp_path: Path) -> None:
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text("[log]\nlevel = 'error'\nformat = 'console'\n[limits]\nmax_in_flight = 1\n")
    two.write_text("[log]\nlevel = 'warning'\nrequests = 'off'\n")
    environ = {"RCGW_LOG__LEVEL": "debug", "RCGW_LIMITS__MAX_IN_FLIGHT": "2"}
    loaded = load([one, two], [TOKEN, "limits.max_in_flight=3"], environ)
    log = loaded.config.log
    assert (log.level, log.format, log.requests) == ("debug", "console", "off")
    assert loaded.config.limits.max_in_flight == 3
    assert loaded.sources["log.level"] == "environment RCGW_LOG__LEVEL"
    assert loaded.sources["log.format"] == f"file {one}"
    assert loaded.sources["log.requests"] == f"file {two}"
    assert loaded.sources["limits.max_in_flight"] == "--set"
    assert loaded.sources["limits.max_connections"] == "default"


def test_the_later_of_two_sets_wins() -> None:
    assert load_sets("log.level=info", "log.level=debug").config.log.level == "debug"


def test_the_vendors_variable_is_the_default_of_the_platforms_origin(tmp_path: Path) -> None:
    environ = {"RC_SERVER_URL": "https://platform.devtest.ringcentral.com"}
    loaded = load_sets(environ=environ)
    assert loaded.config.upstreams["platform"].origin.host == "platform.devtest.ringcentral.com"
    assert loaded.sources["upstreams.platform.origin"] == "environment RC_SERVER_URL"
    assert loaded.config.upstreams["media"].origin.host == "media.devtest.ringcentral.com"
    file = tmp_path / "x.toml"
    file.write_text("[upstreams.platform]\norigin = 'https://other.example'\n")
    assert load([file], [TOKEN], environ).config.upstreams["platform"].origin.host == (
        "other.example"
    )


def test_an_empty_variable_of_the_vendors_is_no_origin() -> None:
    loaded = load_sets(environ={"RC_SERVER_URL": ""})
    assert loaded.sources["upstreams.platform.origin"] == "default"


def test_every_value_has_a_source_and_a_row() -> None:
    loaded = load_sets("upstreams.ringcx={}", "log.level=debug")
    rows = {path: (value, source) for path, value, source in loaded.rows()}
    assert set(rows) == set(loaded.sources)
    assert rows["log.level"] == ("debug", "--set")
    assert rows["listener.bind"] == (["127.0.0.1:8080"], "default")
    assert rows["upstreams.ringcx.origin"] == ("https://ringcx.ringcentral.com", "default")
    sections = {path.split(".")[0] for path in rows}
    assert sections == set(Config.model_fields)
    assert {path for path in rows if path.startswith("timeouts.")} == {
        f"timeouts.{key}" for key in names_at(["timeouts"])
    }


def test_a_literal_is_masked_in_rows_and_in_the_configuration() -> None:
    loaded = load([], ["credentials.ringcentral.token=literal:s3cr3t"], {})
    shown = {path: value for path, value, _ in loaded.rows()}
    assert shown["credentials.ringcentral.token"] == "literal:********"
    assert "s3cr3t" not in f"{loaded}{loaded.config!r}{loaded.config.model_dump_json()}"


def test_secrets_are_looked_for_only_when_asked() -> None:
    sets = ["credentials.ringcentral.token=env:T", "log.level=loud"]
    (flaw,) = problems_of(sets)
    assert flaw.startswith("log.level: ")
    assert problems_of(sets, resolve=True) == [
        flaw,
        "credentials.ringcentral.token: the environment variable T is not set (--set)",
    ]
    assert problems_of(sets[:1], {"T": "x"}, resolve=True) == []


def test_a_file_that_is_missing_is_one_problem(tmp_path: Path) -> None:
    missing = tmp_path / "x.toml"
    assert problems_of(files=[missing], resolve=True) == [f"{missing}: does not exist"]


def test_the_simulator_needs_no_credential_and_reads_nothing_of_the_vendors() -> None:
    environ = {"RC_SERVER_URL": "not an origin", "RC_USER_JWT": "x"}
    sets = ["upstreams.engage_digital={}", "credentials.ringcentral.token=env:NONE"]
    loaded = load([], sets, environ, simulator=True, resolve=True)
    assert loaded.sources["upstreams.platform.origin"] == "default"
    load([], [], {}, simulator=True)


def test_the_simulator_is_no_excuse_for_anything_else() -> None:
    with pytest.raises(ConfigError) as caught:
        load([], ["listener.bind=0.0.0.0:1", "log.level=loud"], {}, simulator=True)
    assert len(caught.value.problems) == 2


keys = st.sampled_from(
    [
        *(f"{section}.{key}" for section in Config.model_fields for key in ("x", "bind")),
        *(f"{section}.{key}" for section in ("limits", "timeouts") for key in names_at([section])),
        *(f"upstreams.{name}" for name in ("platform", "media", "ringcx", "nobody")),
        *(f"upstreams.engage_digital.{key}" for key in names_at(["upstreams", "x"])),
        *(f"credentials.ringcentral.{key}" for key in names_at(["credentials", "x"])),
        *("log", "listener.bind", "listener.hosts", "query.mode", "user_agent.product", "engine"),
        *("engine.workers", "upstreams", "credentials", "links.rewrite"),
    ]
)
values = st.one_of(
    st.text(max_size=8),
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(["[]", "{}", "['']", "{a=1}", "[{}]", "true", "2026-01-01", "literal:x"]),
    st.sampled_from(["env:X", "127.0.0.1:0", "https://x", "none", "off", "0x" + "f" * 5000]),
)


@given(st.lists(st.tuples(keys, values).map("=".join), max_size=6))
def test_any_settings_load_or_are_a_config_error(sets: list[str]) -> None:
    problems = problems_of(sets, resolve=True)
    assert len(set(problems)) == len(problems)
    if not problems:
        json.dumps(list(load([], sets, {}).rows()))


@given(
    st.dictionaries(
        keys.map(lambda key: "RCGW_" + key.replace(".", "__").upper()) | st.text(), values
    )
)
def test_any_environment_loads_or_is_a_config_error(environ: dict[str, Any]) -> None:
    assert all(problems_of([TOKEN], environ))


def test_what_was_validated_can_be_handed_on_as_json_and_is_not_shown() -> None:
    sets = [TOKEN, "listener.bind=['127.0.0.1:1', 'unix:/run/x']", "timeouts.idle_s=2.5"]
    loaded = load([], [*sets, "upstreams.ringcx.tunnel=off", "engine.fast_lane=false"], {})
    assert restore(json.loads(json.dumps(loaded.tree))) == loaded.config
    assert "t0ken" not in repr(loaded)

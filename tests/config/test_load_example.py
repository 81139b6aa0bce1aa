"""The example files of config/: they work as they stand, and every line in them is true."""

import re
from pathlib import Path

import pytest

from gateway.config.flaws import names_at
from gateway.config.grants import GRANTS
from gateway.config.load import load
from gateway.config.model import Config
from gateway.config.upstreams import UpstreamConfig
from tests.config.loading import load_sets

FOLDER = Path(__file__).parents[2] / "config"
SIDECAR = FOLDER / "sidecar.toml"
NAMES = ("RC_APP_CLIENT_ID", "RC_APP_CLIENT_SECRET", "RC_USER_JWT")
ENVIRON = dict.fromkeys(NAMES, "t0ken")
# Settings that the example shows with another value than their default.
EXAMPLES = {"user_agent.product", "user_agent.comment"}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.name)
def test_an_example_needs_the_vendors_variables(path: Path) -> None:
    loaded = load([path], [], ENVIRON, resolve=True)
    assert "t0ken" not in repr(loaded)


def test_the_sidecar_is_what_is_there_without_it() -> None:
    config = load([SIDECAR], [], ENVIRON).config
    assert config.credentials == load([], [], ENVIRON).config.credentials
    assert str(config.listener.bind[0]) == "127.0.0.1:8080"


def test_every_setting_that_the_sidecar_shows_is_the_default(tmp_path: Path) -> None:
    text = re.sub(r"^#(?=[a-z_]+ = )", "", SIDECAR.read_text(), flags=re.MULTILINE)
    uncommented = tmp_path / "sidecar.toml"
    uncommented.write_text(text)
    written = load([uncommented], [], ENVIRON)
    defaults = {path: value for path, value, _ in load_sets().rows()}
    for path, value, source in written.rows():
        if source != "default" and not path.startswith("credentials.") and path not in EXAMPLES:
            assert value == defaults[path], path
    shown = {path for path, source in written.sources.items() if source != "default"}
    assert len(shown) > 30
    assert shown >= {path for path in defaults if path.split(".")[0] in {"timeouts", "limits"}}


def test_the_sidecar_names_every_setting_that_it_may_have() -> None:
    named: dict[str, set[str]] = {}
    table: set[str] = set()
    for line in SIDECAR.read_text().splitlines():
        if header := re.fullmatch(r"(?:# )?\[([a-z_]+)(?:\.[a-z_]+)?\]", line):
            table = named.setdefault(header[1], set())
        elif setting := re.match(r"(?:# ?)?([a-z_]+) = ", line):
            table.add(setting[1])
    for section in Config.model_fields.keys() - {"upstreams", "credentials"}:
        assert named[section] == set(names_at([section])), section
    assert named["upstreams"] == set(UpstreamConfig.model_fields)
    jwt = GRANTS["jwt"]
    assert named["credentials"] >= {*jwt.needs, *jwt.takes, "grant", "token"}


def test_the_examples_inside_comments_are_accepted(tmp_path: Path) -> None:
    text = SIDECAR.read_text()
    engage = re.sub(
        r"^# ", "", text[text.index("# [upstreams.engage") : text.index("[timeouts]")], flags=re.M
    )
    path = tmp_path / "engage.toml"
    path.write_text(engage)
    config = load([SIDECAR, path], [], ENVIRON).config
    assert config.upstreams["engage_digital"].credential == "engage"

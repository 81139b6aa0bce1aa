"""The README is true: its commands run, its tables are the code's, its examples pass."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from gateway import errors
from gateway.config.model import Config, CredentialConfig, UpstreamConfig
from gateway.config.presets import PRESETS
from gateway.core.query import Finding
from gateway.engine.events import Asked, Record
from gateway.ops.request_log import describe

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
GATEWAY = f"{sys.executable} -m gateway"
PORTS = ("--set", "listener.bind=127.0.0.1:0", "--set", "ops.bind=127.0.0.1:0")

PORT = re.compile(r"(?<=//127\.0\.0\.1):[0-9]+/")
ROW = re.compile(r"^\|(.+)\|$", re.MULTILINE)
PATIENCE_S = 30


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table whose head row begins with `heading`."""
    table = README[README.index(f"| {heading} |") :].split("\n\n")[0]
    return [[cell.strip() for cell in row.split("|")] for row in ROW.findall(table)[2:]]


def commands() -> list[str]:
    """Return the lines of every shell block."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def leaves(kind: type[errors.GatewayError]) -> Iterator[type[errors.GatewayError]]:
    """Yield the error classes that are raised."""
    children = kind.__subclasses__()
    if not children:
        yield kind
    for child in children:
        yield from leaves(child)


@contextmanager
def serving(*arguments: str, until: str, **environ: str) -> Iterator[str]:
    """Run `serve` until its output has `until`; give the output, then stop it in order."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", "serve", *arguments, *PORTS],
        cwd=ROOT,
        env=os.environ | environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        seen = ""
        while until not in seen and (line := process.stdout.readline()):
            seen += line
        yield seen
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0


def shell(command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command line as a person would."""
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=ROOT,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_the_two_commands_stand_before_anything_else() -> None:
    first = README.split("```")[1]
    assert README.startswith("# rc-gateway\n\n```sh\nmake run ")
    assert "\nmake test " in first


def test_make_run_serves_with_the_simulator_and_make_test_is_what_ci_calls() -> None:
    assert "rc-gateway serve --simulator" in shell("make -n run").stdout
    assert "make test" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_make_install_is_the_first_half_of_make_run() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert len(re.findall(r"^(?:install|run): \$\(VENV\)/run\.stamp ##", makefile, re.M)) == 2
    done = shell("make -n install")
    assert (done.returncode, done.stderr) == (0, "")
    assert "serve" not in done.stdout


def test_what_does_not_go_through_is_refused_as_the_readme_says() -> None:
    text = README[README.index("**What does not go through it:**") : README.index("## Tokens")]
    paths = re.findall(r"`(/restapi/oauth/\w+)`", text)
    assert paths == ["/restapi/oauth/token", "/restapi/oauth/wstoken"]
    for path in paths:
        refused = shell(f"{GATEWAY} explain -X POST {path}").stdout
        assert "refused at permit: 403 not-permitted" in refused
        passed = "--set credentials.ringcentral.grant=passthrough"
        assert shell(f"{GATEWAY} explain {passed} -X POST {path}").returncode == 0
    refused = shell(f"{GATEWAY} explain -X CONNECT platform.ringcentral.com:443").stdout
    assert "405 method-not-allowed" in refused


def test_the_printed_commands_work_as_printed_and_are_those_of_the_readme() -> None:
    with serving("--simulator", until="Ctrl-C") as output:
        printed = [line for line in output.splitlines() if line.startswith("curl")]
        deleted, updated, listed = (shell(line) for line in printed)
    shown = [line for line in commands() if line.startswith("curl")]
    assert [PORT.sub(":8080/", line) for line in printed] == shown
    assert deleted.stdout.startswith("HTTP/1.1 204 ")
    assert '"readStatus" : "Read"' in updated.stdout
    assert '"type" : "SMS"' in listed.stdout
    assert '"type" : "Pager"' in listed.stdout


@pytest.mark.parametrize("line", [line for line in commands() if "explain" in line])
def test_an_explain_command_prints_what_the_readme_promises(line: str) -> None:
    done = shell(line.replace(".venv/bin/rc-gateway", GATEWAY))
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert ("refused" in done.stdout) == ("|| echo refused" in line)


def test_the_refused_example_names_parameter_offset_what_was_seen_and_what_to_send() -> None:
    (line,) = [line for line in commands() if "|| echo refused" in line]
    done = shell(line.replace(".venv/bin/rc-gateway", GATEWAY))
    assert "parameter 'phoneNumber', byte 12: '{' must be sent as %7B" in done.stdout


def test_the_sidecar_commands_work_word_by_word() -> None:
    exports = [line for line in commands() if line.startswith("export RC_")]
    values = dict(line.removeprefix("export ").split("=") for line in exports)
    assert set(values) == {"RC_APP_CLIENT_ID", "RC_APP_CLIENT_SECRET", "RC_USER_JWT"}
    for config in ("", " --config config/sidecar.toml"):
        done = shell("\n".join((*exports, f"{GATEWAY} check{config}")))
        assert (done.returncode, done.stderr) == (0, "")
    # At the vendor's address there is nobody here who takes these.
    nowhere = {"RC_SERVER_URL": "http://127.0.0.1:9"}
    with serving(until="token refresh failed", **values, **nowhere) as output:
        assert "listening" in output
        assert not [value for value in values.values() if value in output]


def test_the_status_of_tokens_is_asked_at_the_ops_listener() -> None:
    (line,) = [line for line in commands() if "token status" in line]
    done = shell(f"{line.replace('.venv/bin/rc-gateway', GATEWAY)} --set ops.bind=127.0.0.1:9")
    assert done.returncode == 1
    assert "no gateway answers at 127.0.0.1:9" in done.stderr


def test_every_command_of_the_readme_is_run_by_a_test() -> None:
    known = (
        "make run",
        "make install",
        "make test",
        "make bench",
        "make soak",
        "curl ",
        "export RC_",
    )
    rest = [line for line in commands() if not line.startswith(known)]
    assert all(line.startswith(".venv/bin/rc-gateway ") for line in rest)
    assert {line.split()[1] for line in rest} == {"explain", "check", "serve", "token"}


def test_the_error_table_is_the_error_tree() -> None:
    table = [(int(status), code.strip("`")) for status, code, _ in rows("status")]
    assert len(table) == len(set(table))
    assert set(table) == {(leaf.status, leaf.code) for leaf in leaves(errors.GatewayError)}


def test_the_configuration_table_has_every_key_with_its_default() -> None:
    table = {key.strip("`"): default.strip("`") for key, default, _ in rows("key")}
    documented = {key for key in table if ".NAME." not in key}
    defaults = dict(leaf_defaults(Config()))
    assert documented == set(defaults)
    assert {key: table[key] for key in documented} == defaults


@pytest.mark.parametrize(
    ("section", "model"), [("upstreams", UpstreamConfig), ("credentials", CredentialConfig)]
)
def test_the_configuration_table_has_the_keys_of_named_tables(
    section: str, model: type[BaseModel]
) -> None:
    keys = {key.strip("`") for key, _, _ in rows("key") if f"{section}.NAME." in key}
    assert keys == {f"{section}.NAME.{name}" for name in model.model_fields}


def test_the_route_table_is_that_of_the_presets() -> None:
    for name, origin, paths in rows("upstream"):
        preset = PRESETS[name.strip("`")]
        assert origin in (f"`{preset.origin}`", "to be configured")
        assert all(f"`{route}`" in paths for route in preset.routes)
    assert {name.strip("`") for name, _, _ in rows("upstream")} == set(PRESETS)


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.toml")), ids=lambda p: p.name)
def test_an_example_configuration_passes_check(path: Path) -> None:
    names = ("RC_APP_CLIENT_ID", "RC_APP_CLIENT_SECRET", "RC_USER_JWT")
    done = shell(f"{GATEWAY} check --config {path}", **dict.fromkeys(names, "made-up"))
    assert (done.returncode, done.stderr) == (0, "")


def leaf_defaults(section: BaseModel, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the TOML path and the default, as the README writes it, of every plain setting."""
    shown = section.model_dump(mode="json")
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from leaf_defaults(value, f"{path}{name}.")
        elif not isinstance(value, dict):
            yield f"{path}{name}", render_default(shown[name])


def render_default(value: Any) -> str:
    """Return a value as TOML; a list of one as its member."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case [str() as only]:
            return f'"{only}"'
        case list():
            return "[" + ", ".join(map(render_default, value)) + "]"
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)


def test_the_table_of_metrics_is_what_is_shown() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "gateway/ops").glob("*.py"))
    names = set(re.findall(r'"((?:rcgw|http_server|http_client)_\w+)"', source))
    named = {name for cells in rows("metric") for name in re.findall(r"`(\w+)`", cells[0])}
    assert {name.removesuffix("_total") for name in named} == names


def test_the_fields_of_a_requests_line_are_named() -> None:
    text = README[README.index("**What it tells.**") :].split("\n\n")[0]
    everything = Record(
        "id",
        0.0,
        Asked(findings=(Finding("plus", "phone", 6, b"+", b"%2B"),)),
        client_address="192.0.2.1",
        message="m",
        retries=("stale",),
    )
    fields = describe(everything) | describe(Record("id", 0.0, cut="c"))
    assert set(fields) - set(re.findall(r"`(\w+)`", text)) == set()

"""`rc-gateway token status`: a table of metadata, from a listener that runs."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import main
from gateway.cli.token import render
from gateway.config.binds import Bind
from gateway.ops.metrics import Metrics
from gateway.ops.server import OpsServer

NOW = 1_000_000.0
WELL = {
    "grant": "jwt",
    "generation": 3,
    "expires_at": NOW + 3599,
    "outcome": "obtained",
    "outcome_at": NOW - 1,
    "retry_at": None,
    "reason": "",
}
DOCUMENT: dict[str, Any] = {"credentials": {"ringcentral": WELL}, "store": {"trouble": None}}


def shown(**changes: object) -> list[str]:
    document = {**DOCUMENT, "credentials": {"ringcentral": {**WELL, **changes}}}
    return render(document, NOW).splitlines()


def test_a_credential_is_a_row() -> None:
    title, row = shown()
    assert title.split()[:4] == ["credential", "grant", "generation", "expires"]
    assert row.split() == ["ringcentral", "jwt", "3", "in", "59", "min", "obtained"]


@pytest.mark.parametrize(
    ("expires_at", "text"),
    [
        (None, "-"),
        (NOW + 119.6, "in 2 min"),
        (NOW + 100, "in 100 s"),
        (NOW - 100, "100 s ago"),
        (NOW + 8000, "in 2 h"),
        (NOW + 604_800, "in 7 d"),
    ],
)
def test_when_a_token_ends_is_told_in_round_numbers(expires_at: float | None, text: str) -> None:
    assert f" {text}  " in shown(expires_at=expires_at)[1]


def test_a_failure_says_why_and_when_it_is_tried_again() -> None:
    _, row = shown(outcome="throttled", reason="429", retry_at=NOW + 30, generation=0)
    assert row.endswith("throttled     429; next try in 30 s")
    assert " jwt    -  " in row


def test_a_failure_that_is_final_names_no_next_try() -> None:
    assert shown(outcome="rejected", reason="400 (invalid_grant)")[1].endswith("(invalid_grant)")


def test_a_store_in_trouble_has_a_line() -> None:
    text = render({**DOCUMENT, "store": {"trouble": "redis is away"}}, NOW)
    assert text.endswith("the store is down: redis is away")


def test_a_gateway_without_credentials_says_so() -> None:
    assert "no credential" in render({"credentials": {}, "store": {"trouble": None}}, NOW)


async def ask(bind: str, page: Callable[[], object], *words: str) -> int:
    """Run the command against a listener; return its exit code."""
    server = OpsServer({}, dict, Metrics(), page)
    at = await server.start(Bind(path=bind) if bind.startswith("/") else Bind("127.0.0.1", 0))
    sets = ["--set", f'ops.bind="{f"unix:{bind}" if at.path else at}"']
    try:
        return await asyncio.to_thread(main, ["token", "status", *sets, *words])
    finally:
        await server.close()


@pytest.mark.parametrize("unix", [False, True])
async def test_the_listener_of_the_configuration_is_asked(
    unix: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bind = str(tmp_path / "ops.sock") if unix else ""
    assert await ask(bind, lambda: DOCUMENT) == 0
    assert "ringcentral" in capsys.readouterr().out
    assert await ask(bind, lambda: DOCUMENT, "--json") == 0
    assert json.loads(capsys.readouterr().out) == DOCUMENT


def test_nobody_there_is_1_with_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "status", "--set", "ops.bind=unix:/nowhere/ops.sock"]) == 1
    assert "no gateway answers at unix:/nowhere/ops.sock" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["token"], ["token", "renew"]])
def test_what_is_missing_or_unknown_is_named_as_it_is_written(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert "status" in capsys.readouterr().err.splitlines()[-1]

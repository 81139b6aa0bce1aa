"""Every problem of a configuration: its path, its words, who set it, and no secret."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.config.loading import TOKEN, problems_of, vectors_of


@pytest.mark.parametrize("case", vectors_of("config_problems"), ids=lambda case: case["name"])
def test_a_configuration_is_refused_with_all_its_problems(
    case: Mapping[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = [Path("x.toml")] if "file" in case else []
    for file in files:
        file.write_text(case["file"])
    sets = [] if case.get("bare") else [TOKEN]
    problems = problems_of(
        [*sets, *case.get("sets", [])],
        case.get("environ", {}),
        files,
        resolve=case.get("resolve", False),
    )
    # Their order is that of the sections; nobody relies on it.
    assert sorted(problems) == sorted(case["problems"])
    assert "s3cr3t" not in "".join(problems)

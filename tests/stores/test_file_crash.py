"""SIGKILL before every step of a rotation: the file is whole, and goes on from there."""

import json
import subprocess
import sys
from pathlib import Path

from tests.stores.processes import ROOT


def test_a_process_that_is_killed_at_any_step_leaves_a_whole_file(file_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.stores.crashing", str(file_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    # Two replacements, each under a lock, and the lease.
    assert len(steps) > 20
    assert [step["code"] for step in steps] == [-9] * (len(steps) - 1) + [0]
    version = 0
    for step in steps:
        found, value = step["found"]
        assert value in (("new",) if step["promised"] else ("old", "new"))
        assert version <= found < step["next"]
        assert step["told"] == []
        version = step["next"]
    # What is promised once is promised at every later step.
    assert sorted(step["promised"] for step in steps) == [step["promised"] for step in steps]

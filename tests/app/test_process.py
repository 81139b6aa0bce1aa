"""The process; its signals and exit codes are tested in tests/e2e/test_callers_process.py."""

import subprocess
import sys

import pytest

from gateway.app import process
from gateway.config.load import load
from gateway.errors import ConfigError

NONE = 'credentials.ringcentral.grant="none"'


def test_the_pure_python_parser_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "parser_kind", lambda: "python")
    with pytest.raises(ConfigError, match="without its C parser"):
        process.run(lambda: load([], [NONE], {}))


def test_a_gateway_in_front_of_the_vendor_does_not_hold_the_simulator() -> None:
    code = "import sys, gateway.app, gateway.cli.serve; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    modules = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert "gateway.app.process" in modules
    assert not [name for name in modules if name.startswith("gateway.simulator")]

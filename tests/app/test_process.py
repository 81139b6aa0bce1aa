"""The process; its signals and exit codes are tested in tests/e2e/test_callers_process.py."""

import pytest

from gateway.app import process
from gateway.config.load import load
from gateway.errors import ConfigError

NONE = 'credentials.ringcentral.grant="none"'


def test_the_pure_python_parser_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "parser_kind", lambda: "python")
    with pytest.raises(ConfigError, match="without its C parser"):
        process.run(lambda: load([], [NONE], {}))

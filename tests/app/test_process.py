"""The process; its signals and exit codes are tested in tests/e2e/test_callers_process.py."""

import gc

import pytest

from gateway.app import process
from gateway.config.load import load
from gateway.errors import ConfigError

NONE = 'credentials.ringcentral.grant="none"'


def test_what_was_built_at_start_is_not_collected_again_and_again() -> None:
    before = gc.get_threshold()
    try:
        process.settle_collector()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold() == (10_000, *before[1:])
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def test_the_pure_python_parser_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "parser_kind", lambda: "python")
    with pytest.raises(ConfigError, match="without its C parser"):
        process.run(lambda: load([], [NONE], {}))

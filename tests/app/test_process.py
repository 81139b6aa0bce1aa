"""The process; its signals and exit codes are tested in tests/e2e/test_callers_process.py."""

import pytest

from gateway.app import process
from gateway.config.load import load
from gateway.errors import ConfigError
from tests import started

NONE = 'credentials.ringcentral.grant="none"'


def test_the_pure_python_parser_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "parser_kind", lambda: "python")
    with pytest.raises(ConfigError, match="without its C parser"):
        process.run(lambda: load([], [NONE], {}))


async def test_a_gateway_in_front_of_the_vendor_does_not_load_the_simulator() -> None:
    loads = {"PYTHONPROFILEIMPORTTIME": "1"}
    async with started.process("http://127.0.0.1:1", environ=loads) as gateway:
        await gateway.event("listening")
        gateway.process.terminate()
        assert await gateway.code() == 0
        told = await gateway.errors()
    assert "gateway.app.host" in told
    assert "gateway.simulator" not in told

"""What runs here."""

import json
import platform
import re

import aiohttp
import pytest

from gateway import __version__
from gateway.cli import main


def test_the_version_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert capsys.readouterr().out == f"rc-gateway {__version__}\n"


def test_json_tells_what_a_bug_report_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["version"] == __version__
    assert told["python"] == platform.python_version()
    assert told["aiohttp"] == aiohttp.__version__
    assert told["parser"] == "c"
    assert told["event_loop"].startswith("uvloop ")
    assert re.fullmatch(r"10\.[0-9]+", told["pcre2"])

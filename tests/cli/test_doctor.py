"""`rc-gateway doctor`, whole: what people read, what programs read, the exit code."""

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.cli import main
from gateway.simulator import start
from tests.middlebox import meddling, pass_get_and_post
from tests.wire import scripted


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("RC_", "RCGW_")):
            monkeypatch.delenv(name)


@contextmanager
def boxed() -> Iterator[tuple[str, str]]:
    """Run the simulator and a box that passes only GET and POST, in a thread; give both."""
    loop = asyncio.new_event_loop()
    origins: list[str] = []
    is_ready, over = threading.Event(), asyncio.Event()

    async def serve() -> None:
        simulator = await start()
        async with scripted(meddling(simulator.port, pass_get_and_post)) as box:
            origins.extend((simulator.origin, box.origin))
            is_ready.set()
            await over.wait()
        await simulator.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert is_ready.wait(20)
        yield origins[0], origins[1]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(20)
        loop.close()


def test_each_upstream_is_reported_with_what_to_write(capsys: pytest.CaptureFixture[str]) -> None:
    with boxed() as (simulator, box):
        sets = [
            *("--set", f"upstreams.platform.origin={box}"),
            *("--set", f"upstreams.media.origin={simulator}"),
        ]
        assert main(["doctor", *sets]) == 1
        platform, advice, media = capsys.readouterr().out.split("\n\n", 1)[1].split("\n\n", 2)
        assert main(["doctor", "--upstream", "media", *sets]) == 0
        only = capsys.readouterr().out
        assert main(["doctor", "--json", *sets]) == 1
        reports = json.loads(capsys.readouterr().out)
        cured = ["--set", "upstreams.platform.tunnel=header"]
        assert main(["doctor", *sets, *cured]) == 0
    assert (
        "blocked  PUT                     middlebox  "
        "403 from 'boxd/1.0', which is not the vendor" in platform.splitlines()
    )
    assert advice == ('What to write, or to ask for:\n  upstreams.platform.tunnel = "header"')
    assert media == only
    assert only.startswith(f"media, {simulator}\n\nok       GET")
    assert "What to write" not in only
    assert [report["upstream"] for report in reports] == ["platform", "media"]
    assert reports[0]["origin"] == box
    assert reports[0]["advice"] == ['upstreams.platform.tunnel = "header"']
    assert {"about": "PATCH", "verdict": "ok", "hop": "vendor", "text": "405 from the vendor"} in (
        reports[1]["findings"]
    )


def test_an_upstream_that_is_not_configured_is_a_mistake(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["doctor", "--upstream", "ringcx"]) == 2
    error = capsys.readouterr().err
    assert error == "--upstream: 'ringcx' is not configured; there is platform, media\n"


def test_the_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--help"]) == 0
    assert "rc-gateway doctor --config sidecar.toml --upstream platform" in capsys.readouterr().out

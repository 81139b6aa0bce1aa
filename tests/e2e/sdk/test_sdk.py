"""The vendor's own SDKs as callers: they follow links, and do not log in."""

import asyncio
import json
import math
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway import simulator
from gateway.simulator.seeds import sow
from gateway.simulator.world import EXTENSION_ID
from tests.e2e.vendor import vendor
from tests.wire import running

HERE = Path(__file__).parent
PYTHON = (sys.executable, "-W", "error", str(HERE / "walk.py"))
JAVASCRIPT = (shutil.which("node") or "node", str(HERE / "walk.js"))
CREDENTIAL = f'credentials.ringcentral.token="literal:{simulator.TOKEN}"'
PER_PAGE = 4  # as the walks ask for
WORLD = sow()
MESSAGES = [one for one in WORLD.messages.values() if one.availability == "Alive"]
CALLS = [call for call in WORLD.calls if call.extension_id == EXTENSION_ID]
PAGES = {
    "message-store": math.ceil(len(MESSAGES) / PER_PAGE),
    "call-log": math.ceil(len(CALLS) / PER_PAGE),
}
CONTENTS = sum(len(message.attachments) for message in MESSAGES) + sum(
    bool(call.recording_id) for call in CALLS
)
PATIENCE_S = 40.0


async def _walk(words: tuple[str, ...], origin: str) -> Any:
    """Run a walk to its end; return what it tells."""
    # A proxy of this machine's would see the requests instead of the gateway.
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    process = await asyncio.create_subprocess_exec(
        *words,
        origin,
        env=kept,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert (process.returncode, errors.decode()) == (0, "")
    return json.loads(output)


@pytest.mark.parametrize("words", [PYTHON, JAVASCRIPT], ids=["python", "javascript"])
async def test_an_sdk_that_follows_every_link_never_leaves_the_gateway(
    words: tuple[str, ...],
) -> None:
    async with (
        vendor() as upstream,
        running(upstream.origin, 'links.rewrite="on"', CREDENTIAL) as gateway,
    ):
        told = await _walk(words, f"http://127.0.0.1:{gateway.port}")
        arrived = [{name.lower() for name, _ in entry.headers} for entry in upstream.seen]
    assert told["outside"] == []
    assert (told["pages"], told["contents"]) == (PAGES, CONTENTS)
    assert len(arrived) == sum(PAGES.values()) + CONTENTS
    assert all(b"via" in names for names in arrived)


@pytest.mark.parametrize(
    ("words", "logout"),
    [
        (PYTHON, "this gateway keeps the credential itself"),
        (JAVASCRIPT, "Logout is not supported in Auth Proxy mode"),
    ],
    ids=["python", "javascript"],
)
async def test_an_sdk_that_logs_in_is_told_why_it_need_not(
    words: tuple[str, ...], logout: str
) -> None:
    async with (
        vendor() as upstream,
        running(upstream.origin, 'links.rewrite="on"', CREDENTIAL) as gateway,
    ):
        told = await _walk(words, f"http://127.0.0.1:{gateway.port}")
        calls = upstream.control.report()["token_calls"]
    assert "this gateway keeps the credential itself" in told["login"]
    assert logout in told["logout"]
    assert calls == {}

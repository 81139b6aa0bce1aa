"""No secret shows: known ones are planted, everything fails in turn, and all output is searched.

The gateway runs as its operators run it, with every kind of credential, at log level debug.
What is searched: logs, standard error, answers, /metrics, /readyz, /credentials, the store's
file when it is sealed, and what check, explain, config show and token status print.
"""

import asyncio
import base64
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from gateway import simulator
from gateway.simulator import CLIENT_ID, CLIENT_SECRET, JWT, LEGACY_PASSWORD, LEGACY_USERNAME
from tests.e2e.vendor import vendor
from tests.started import ROOT, Started, process
from tests.wire import request

PLANTED = {
    "PLANTED_SECRET": CLIENT_SECRET,
    "PLANTED_JWT": JWT,
    "PLANTED_PASSWORD": LEGACY_PASSWORD,
    "PLANTED_DIGITAL": "planted-digital-token-9137",
    "PLANTED_CALLER": "planted-caller-token-4471",
}
TABLES = f"""
[upstreams.platform]
origin = "ORIGIN"
[upstreams.media]
origin = "ORIGIN"
[upstreams.ringcx]
origin = "ORIGIN"
[upstreams.engage_legacy]
origin = "ORIGIN"
credential = "legacy"
[upstreams.engage_digital]
origin = "ORIGIN"
credential = "digital"
[credentials.ringcentral]
grant = "jwt"
client_id = "literal:{CLIENT_ID}"
client_secret = "env:PLANTED_SECRET"
jwt = "env:PLANTED_JWT"
[credentials.legacy]
grant = "engage_legacy"
username = "literal:{LEGACY_USERNAME}"
password = "env:PLANTED_PASSWORD"
[credentials.digital]
grant = "static"
token = "env:PLANTED_DIGITAL"
[stores]
file = "STORE"
key = "env:PLANTED_KEY"
[log]
level = "debug"
requests = "on"
"""
PATHS = (
    "/restapi/v1.0/account/~",
    "/media/restapi/v1.0/account/~",
    "/voice/api/v1/admin/accounts",
    "/api/v1/admin/accounts",
    "/1.0/categories",
    "/restapi/oauth/token",
    "/nowhere",
)


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Set the secrets, and return all of them by name."""
    known = {**PLANTED, "PLANTED_KEY": secrets.token_hex(32)}
    for name, value in known.items():
        monkeypatch.setenv(name, value)
    return known


async def command(config: Path, *words: str) -> bytes:
    """Return all that a command prints."""
    done = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", *words, "--config", str(config)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await done.communicate()
    return output


async def ask_everything(gateway: Started, caller: str) -> bytes:
    """Ask for every kind of resource with the caller's own secrets; return all answers."""
    heard = b""
    for path in PATHS:
        peer = await gateway.dial()
        fields = (f"Authorization: Bearer {caller}", f"Cookie: access_token={caller}")
        line = f"GET {path}?access_token={caller}&bad={{ HTTP/1.1"
        for first in (line, line.replace("&bad={", "")):
            await peer.send(request(first, *fields))
            _, head, body = await peer.read_answer()
            heard += head + body
        peer.close()
    return heard


async def ops(bind: str) -> bytes:
    heard = b""
    for page in ("/metrics", "/readyz?verbose", "/credentials", "/livez", "/nothing"):
        host, _, port = bind.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET {page} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        heard += await reader.read()
        writer.close()
    return heard


async def exercise(upstream: simulator.Running, gateway: Started, caller: str, at: str) -> bytes:
    """Let every kind of token call fail in every way; return all that was said meanwhile."""
    heard = await ask_everything(gateway, caller)
    control = upstream.control
    troubles: tuple[Callable[[], None], ...] = (
        lambda: control.fail(9, 400),
        lambda: control.fail(9, 429, "1"),
        lambda: control.fail(9, 500),
        lambda: control.drop(9),
        control.reset,
    )
    for trouble in troubles:
        trouble()
        control.expire()
        heard += await ask_everything(gateway, caller) + await ops(at)
    return heard


def spellings(secret: str) -> set[bytes]:
    """Return the ways in which a secret could be written."""
    raw = secret.encode()
    basic = base64.b64encode(f"{CLIENT_ID}:{secret}".encode())
    return {raw, quote_plus(secret).encode(), base64.b64encode(raw), basic, raw.hex().encode()}


def issued(upstream: simulator.Running) -> set[str]:
    """Return every token that the simulator saw on a request."""
    found = set()
    for seen in upstream.seen:
        for name, value in seen.headers:
            if name.lower() in (b"authorization", b"x-auth-token", b"cookie"):
                found.add(value.decode().rpartition(" ")[2].rpartition("=")[2])
    return found


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """Return a folder that a store accepts."""
    tmp_path.chmod(0o700)
    return tmp_path


async def test_no_secret_comes_out_whatever_fails(private: Path, planted: dict[str, str]) -> None:
    store, config = private / "tokens.json", private / "gateway.toml"
    async with vendor() as upstream:
        text = TABLES.replace("ORIGIN", upstream.origin).replace("STORE", str(store))
        config.write_text(text)
        sets = ('credentials.ringcentral.grant="jwt"', "log.requests=on")
        async with process(upstream.origin, "127.0.0.1:0", *sets, config=config) as gateway:
            listening = await gateway.event("listening")
            gateway.bind = str(listening["binds"][0])  # type: ignore[index]  # a list of texts
            heard = await exercise(
                upstream, gateway, planted["PLANTED_CALLER"], str(listening["ops"])
            )
            for words in (
                ("check",),
                ("check", "--json"),
                ("config", "show"),
                ("explain", f"/restapi?access_token={planted['PLANTED_CALLER']}"),
                ("explain", "--json", "-H", f"Cookie: {planted['PLANTED_CALLER']}", "/1.0/x"),
                ("token", "status", "--set", f"ops.bind={listening['ops']}"),
            ):
                heard += await command(config, *words)
            gateway.process.terminate()
            logged, errors = await gateway.process.communicate()
        heard += logged + errors
        tokens = issued(upstream)
    assert b"token refresh failed" in heard
    assert b"credential-unavailable" in heard
    assert len(tokens) > 4
    for name, secret in planted.items():
        assert not {spelling for spelling in spellings(secret) if spelling in heard}, name
    for token in tokens - {planted["PLANTED_CALLER"]}:
        assert token.encode() not in heard, token
        assert token.encode() not in store.read_bytes(), "the store is sealed"
    assert os.stat(store).st_mode & 0o077 == 0
